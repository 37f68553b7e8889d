/** A number as people type it; null for nothing, undefined for what is none. */
export function readNumber(text: string): number | null | undefined {
  const plain = text.trim().replace(',', '.');
  if (plain === '') return null;
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : undefined;
}

/** Latitude and longitude as maps copy them into one field. */
export function readPosition(text: string): [number, number] | null {
  const m = /^\s*(-?\d+\.\d+)\s*[,;\s]\s*(-?\d+\.?\d*)\s*$/.exec(text);
  return m ? [Number(m[1]), Number(m[2])] : null;
}
