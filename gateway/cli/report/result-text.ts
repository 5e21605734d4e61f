// How results are printed: the moment that they are true at, and tables.
import Table from 'cli-table3';

/** "at position 12 (2026-01-31T10:00:00.000Z)"; the time is the block's. */
export function positionText(position: number, recordedAt: string | null): string {
  return `at position ${position} (${recordedAt ?? 'nothing recorded'})`;
}

/** A number with its thousands grouped. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

/** A printed table; columns from `rightFrom` on are aligned to the right. */
export function tableText(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  rightFrom: number = head.length,
): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column < rightFrom ? 'left' : 'right')),
    // No colours: the text may go to a file.
    style: { head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return `${table.toString()}\n`;
}
