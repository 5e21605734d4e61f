// A vitest reporter that lets no test be skipped unseen: prints each skipped test with its reason,
// fails the run for any that test/skips-allowed.json does not name, and ends the output with the
// line "N passed, N failed". Called by vitest's main thread only; keeps nothing between runs.
import { readFileSync } from 'node:fs';
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node';

/** A skip that is known: the test's full name ("suite > test") and why it may be skipped. */
type AllowedSkip = { readonly name: string; readonly reason: string };

/** The reporter; give one instance to `reporters` in vitest.config.ts. */
export class SkipReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const countOf = (state: string) => tests.filter((test) => test.result().state === state).length;
    const failedModules = modules.filter((module) => module.errors().length > 0).length;
    // With a name filter everything else is skipped by intent.
    const isFiltered = this.#vitest?.config.testNamePattern !== undefined;
    const refused = isFiltered ? 0 : reportSkips(tests.filter(isSkipped));
    const failed = countOf('failed') + failedModules + unhandledErrors.length + refused;
    if (failed > 0) process.exitCode = 1;
    console.log(`${countOf('passed')} passed, ${failed} failed`);
  }
}

function isSkipped(test: TestCase): boolean {
  return test.result().state === 'skipped';
}

/** Prints each skipped test; returns how many of them no entry of the list allows. */
function reportSkips(skipped: readonly TestCase[]): number {
  const listUrl = new URL('../skips-allowed.json', import.meta.url);
  const allowed: readonly AllowedSkip[] = JSON.parse(readFileSync(listUrl, 'utf8'));
  let refusedCount = 0;
  for (const test of skipped) {
    const entry = allowed.find((candidate) => candidate.name === test.fullName);
    const result = test.result();
    const note = result.state === 'skipped' ? result.note : undefined;
    const reason = note ?? entry?.reason ?? 'no reason given';
    if (entry === undefined) refusedCount += 1;
    const verdict = entry === undefined ? 'skipped, NOT ALLOWED' : 'skipped';
    console.log(`${verdict}: ${test.module.relativeModuleId} > ${test.fullName}: ${reason}`);
  }
  return refusedCount;
}
