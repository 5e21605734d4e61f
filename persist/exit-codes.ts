// The exit codes of the process, one for each reason to stop, so that a supervisor's log tells the
// reason even where nobody kept standard error. Part of the operations interface: never renumbered.

/** Why the process ended. 0 is a clean stop; 1 and 2 are left to Node and to shells. */
export const ExitCode = {
  /** Stopped as asked, everything answered and on disk. */
  clean: 0,
  /** An unknown setting or a wrong value. */
  configuration: 10,
  /** Another process holds the data folder, or it cannot be locked. */
  lock: 11,
  /** The log or the data folder is damaged, incomplete or another's. */
  damagedLog: 12,
  /** The data folder was written by a version this one does not know. */
  version: 13,
  /** A commit to the log failed: disk full, I/O error. */
  commitFailed: 14,
  /** An assert failed, or a checksum over the state. */
  invariant: 15,
  /** A lane gave no sign of life for too long. */
  heartbeat: 16,
  /** An exception that nothing expected. */
  unexpected: 17,
} as const;

/** One of the values of ExitCode. */
export type ExitCodeValue = (typeof ExitCode)[keyof typeof ExitCode];
