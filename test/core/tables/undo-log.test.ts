// UndoLog: steps run last to first, once, and only where they are wanted.
import { expect, test } from 'vitest';
import { UndoLog } from '../../../core/tables/undo-log.ts';

function noteThree(undo: UndoLog, done: number[]): void {
  for (const step of [1, 2, 3]) undo.note(() => done.push(step));
}

test('taking back runs the steps from the last to the first and turns the log off', () => {
  const undo = new UndoLog();
  const done: number[] = [];
  expect(undo.isOn).toBe(false);
  undo.begin();
  expect(undo.isOn).toBe(true);
  noteThree(undo, done);
  undo.takeBack();
  expect(done).toEqual([3, 2, 1]);
  expect(undo.isOn).toBe(false);
  undo.takeBack();
  expect(done).toEqual([3, 2, 1]);
});

test('what is kept is not taken back by a later batch', () => {
  const undo = new UndoLog();
  const done: number[] = [];
  undo.begin();
  noteThree(undo, done);
  undo.keep();
  expect(undo.isOn).toBe(false);
  undo.begin();
  undo.note(() => done.push(4));
  undo.takeBack();
  expect(done).toEqual([4]);
});

test('the log is off while steps run, so that they note nothing themselves', () => {
  const undo = new UndoLog();
  const seen: boolean[] = [];
  undo.begin();
  undo.note(() => seen.push(undo.isOn));
  undo.takeBack();
  expect(seen).toEqual([false]);
});
