// What the kernel knows of another process and of a folder: CPU time, resident memory, bytes.
// Linux only (/proc); reads are cheap enough to be taken at both ends of a window.
import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Clock ticks a second in /proc/<pid>/stat; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const KIB = 1_024;
/** utime and stime, counted from the field after the command's closing parenthesis. */
const USER_TICKS_FIELD = 11;
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: 'ext4',
  16914836: 'tmpfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  2035054128: 'overlay',
};

/** CPU seconds of all threads of a process since it began. */
export function readCpuSeconds(processId: number): number {
  const text = readFileSync(`/proc/${processId}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[USER_TICKS_FIELD]) + Number(fields[USER_TICKS_FIELD + 1]);
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory that is no file's: anonymous and shared (RssAnon + RssShmem). */
export function readResidentBytes(processId: number): number {
  const text = readFileSync(`/proc/${processId}/status`, 'latin1');
  const kibibytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
  return (kibibytes('RssAnon') + kibibytes('RssShmem')) * KIB;
}

/** Bytes of all files under a folder, as their sizes say. */
export function readFolderBytes(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries.reduce((sum, entry) => {
    if (!entry.isFile() || entry.name.startsWith('lock')) return sum;
    return sum + statSync(join(entry.parentPath, entry.name)).size;
  }, 0);
}

/** The kind of file system that holds a folder. */
export function readFileSystem(folder: string): string {
  const { type } = statfsSync(folder);
  return FILE_SYSTEMS[type] ?? `type 0x${type.toString(16)}`;
}
