// The settings of the embedded Postgres, given on its command line at each start: what a person
// writes into postgresql.conf acts only on what is not named here. Pure.

const SETTINGS: readonly (readonly [name: string, value: string])[] = [
  // Only the socket in its own folder, for its owner: nothing of it can be reached from outside.
  ['listen_addresses', ''],
  ['unix_socket_directories', '.'],
  ['unix_socket_permissions', '0700'],
  // What the journal of the last minutes and its index take, and WAL buffers that hold a snapshot.
  // With half as much, and as many WAL buffers as Postgres likes, 6 % fewer rows went in: in three
  // pairs in turn 130 and 112, 121 and 115, 121 and 125 thousand a second.
  ['shared_buffers', '512MB'],
  ['wal_buffers', '64MB'],
  // The journal is written in one stream: rare checkpoints write each changed page once, not often.
  ['max_wal_size', '4GB'],
  ['checkpoint_timeout', '15min'],
  // No standby reads this WAL, since Kassa's log can make all of it again. At the level "minimal"
  // Postgres drops what it wrote from the page cache: starts after a crash then read 96 and 777 MB
  // from the disk, beside the log's writes.
  ['wal_level', 'replica'],
  ['max_wal_senders', '0'],
  // What it writes goes to the disk bit by bit. Left in the page cache, 330 MB of it went out at
  // once when a start after a crash synced the folder: 0.26 s in which no bet was answered.
  ['backend_flush_after', '1MB'],
  // That start syncs the file system in one call. File by file it took 1,300 flushes of the disk.
  ['recovery_init_sync_method', 'syncfs'],
  // One process for one query: each opens a session of its own, with a share of its own.
  ['max_parallel_workers_per_gather', '0'],
  ['io_method', 'sync'],
  // The reporter, the command line and some people's tools.
  ['max_connections', '50'],
  // A week of log files in the cluster folder, each replaced after seven days.
  ['logging_collector', 'on'],
  ['log_directory', 'log'],
  ['log_filename', 'postgres-%a.log'],
  ['log_truncate_on_rotation', 'on'],
  ['log_rotation_age', '1d'],
  // Huge pages that are there were reserved for something else.
  ['huge_pages', 'off'],
  // Compiling costs a small report more than it gains, and takes a core from the lanes.
  ['jit', 'off'],
];

/** The settings as arguments of postgres. */
export function settingArguments(): string[] {
  return SETTINGS.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
