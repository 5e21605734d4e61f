// Reading the JSON texts of definitions. They are rare (an operator or a client is changed), so
// plain objects serve; what they mean is checked by each definition's own file.

/** A JSON object of which nothing is known yet. */
export type JsonFields = Readonly<Record<string, unknown>>;

/** The object that a JSON text holds, or undefined where it holds none. */
export function parseFields(text: string): JsonFields | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The sender's text is no JSON: an answer of its own (malformed), not an error.
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  return parsed as JsonFields;
}

/** Whether a value is a whole number within the bounds. */
export function isWholeNumber(value: unknown, least: number, most: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
}

/** Whether a value is one of the words. */
export function isOneOf(value: unknown, words: readonly string[]): boolean {
  return typeof value === 'string' && words.includes(value);
}
