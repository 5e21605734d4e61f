// How the changes of an atomic batch are taken back (rule 30): each change notes its inverse while
// the log is on. Closures are fine here: an atomic batch is rare and small, and while the log is
// off nothing is noted.

/** Inverse steps, run last to first. */
export class UndoLog {
  /** Whether changes must be noted. */
  isOn = false;
  readonly #steps: (() => void)[] = [];

  /** Starts noting. */
  begin(): void {
    this.isOn = true;
  }

  /** Notes how to take one change back. */
  note(step: () => void): void {
    this.#steps.push(step);
  }

  /** Keeps all changes and stops noting. */
  keep(): void {
    this.#steps.length = 0;
    this.isOn = false;
  }

  /** Takes all changes back and stops noting. */
  takeBack(): void {
    this.isOn = false;
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) step();
  }
}
