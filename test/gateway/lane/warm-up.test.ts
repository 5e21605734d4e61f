// The warm-up of a lane: it ends by itself, soon, and leaves no error behind.
import { expect, test } from 'vitest';
import { warmUp } from '../../../gateway/lane/warm-up.ts';

test('a warm-up ends within its time and can be repeated', async () => {
  for (let turn = 0; turn < 2; turn += 1) {
    const startedMs = performance.now();
    await warmUp();
    // 0.8 s by its own bound, and the frame in work.
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  }
});
