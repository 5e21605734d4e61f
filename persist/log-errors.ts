// The ways in which a log or a data folder cannot be used. All are thrown before anything is
// served; their text is meant for the person who has to act on it, and the exit code for the
// supervisor.
import { ExitCode, type ExitCodeValue } from './exit-codes.ts';

/** Where a log is damaged, and how. */
export interface Damage {
  /** The segment's folder name, or what stands in its place. */
  readonly segment: string;
  /** The block's number in the one order, or 0 when the damage is the segment's own. */
  readonly block: number;
  readonly expected: string;
  readonly found: string;
}

/**
 * The log cannot be trusted as it lies there. Nothing was changed on disk, and nothing may be
 * skipped: a block that is left out takes back answers that were given.
 */
export class DamagedLogError extends Error {
  override readonly name = 'DamagedLogError';
  readonly exitCode: ExitCodeValue = ExitCode.damagedLog;
  readonly damage: Damage;

  constructor(damage: Damage, cause?: unknown) {
    const place = damage.block > 0 ? `, block ${damage.block}` : '';
    super(
      `Cannot use the log because segment ${damage.segment}${place} is damaged: ` +
        `expected ${damage.expected}, found ${damage.found}. Nothing was changed, cut off or ` +
        'skipped. Keep a copy of the data folder as it is, check the disk, and put the segment ' +
        'back from a backup or a replica; never delete or edit a segment by hand.',
      { cause },
    );
    this.damage = damage;
  }
}

/** The data folder or a part of it has a format version that this program does not know. */
export class UnknownVersionError extends Error {
  override readonly name = 'UnknownVersionError';
  readonly exitCode: ExitCodeValue = ExitCode.version;
  /** Which part it is, the version known for it, and the one found as text. */
  readonly unknown: { readonly part: string; readonly known: number; readonly found: string };

  constructor(part: string, versions: { readonly known: number; readonly found: unknown }) {
    const found = String(versions.found);
    super(
      `Cannot use ${part} because its format version is unknown to this program: ` +
        `${found} (known: ${versions.known}). Nothing was changed. Start the ` +
        'version of Kassa that wrote it, or a newer one.',
    );
    this.unknown = { part, known: versions.known, found };
  }
}

/** A block whose records the core refused with this error. */
export function refuseBlock(
  place: { readonly segment: string; readonly block: number },
  cause: Error,
): DamagedLogError {
  const expected = 'records that follow from those before';
  return new DamagedLogError({ ...place, expected, found: cause.message }, cause);
}
