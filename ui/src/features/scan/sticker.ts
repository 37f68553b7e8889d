// What a sticker says: a code leads to our page for drivers, an engraved plate
// carries the public id alone.

/** The public id in what a camera read or a person typed; empty if there is none. */
export function publicId(read: string): string {
  const text = read.trim().slice(0, 500);
  const address = /^https?:\/\/[^/?#\s]+(\/[^?#\s]*)?/i.exec(text);
  if (!address) return text.length <= 100 && !/\s/.test(text) ? text : '';
  const part = /^\/status\/p\/([^/]+)\/?$/.exec(address[1] ?? '');
  if (!part) return '';
  try {
    return decodeURIComponent(part[1]!).slice(0, 100);
  } catch {
    return '';
  }
}
