// What the kernel knows of another process and of a folder: CPU time, resident memory, bytes.
// Linux only (/proc); reads are cheap enough to be taken at both ends of a window.
import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Clock ticks a second in /proc/<pid>/stat; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const KIB = 1_024;
/** utime and stime, counted from the field after the command's closing parenthesis. */
const USER_TICKS_FIELD = 11;
const STOLEN_FIELD = 7;
const CORE_TICKS_BEFORE = readCoreTicks();
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

/**
 * The part of the time of all cores, since this program began, that the machine under this virtual
 * one took away: what ran then waited, and no thread's own figures show it.
 */
export function readStolenShare(): number {
  const now = readCoreTicks();
  const all = now.all - CORE_TICKS_BEFORE.all;
  return all === 0 ? 0 : (now.stolen - CORE_TICKS_BEFORE.stolen) / all;
}

/** user nice system idle iowait irq softirq steal, and guests that user has too. */
function readCoreTicks(): { readonly all: number; readonly stolen: number } {
  const [line] = readFileSync('/proc/stat', 'latin1').split('\n', 1);
  const ticks = line
    .trim()
    .split(/\s+/)
    .slice(1, STOLEN_FIELD + 2)
    .map(Number);
  return { all: ticks.reduce((sum, each) => sum + each, 0), stolen: ticks[STOLEN_FIELD] };
}

/** The kind of file system that holds a folder. */
export function readFileSystem(folder: string): string {
  const { type } = statfsSync(folder);
  return FILE_SYSTEMS[type] ?? `type 0x${type.toString(16)}`;
}
