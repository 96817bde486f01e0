/** Texts in the query language, which has no escapes: a quote cannot hold itself. */

/** A text in quotes; null for one that holds both kinds. */
export function quotedValue(text: string): string | null {
  const quote = ["'", '"'].find((one) => !text.includes(one));
  return quote ? `${quote}${text}${quote}` : null;
}

/** A text in quotes for LIKE and ILIKE: of one that holds both kinds, one stands for any character. */
export function quoted(text: string): string {
  return quotedValue(text) ?? `"${text.replaceAll('"', "_")}"`;
}
