// Comma-separated values as RFC 4180 has them.
type Cell = string | number | boolean | null | undefined;

// A spreadsheet runs a text that begins like a formula; what a station sent must
// stay text there too.
const formula = /^[=+\-@\t\r]/;

function cell(v: Cell): string {
  if (v === null || v === undefined) return '';
  if (typeof v !== 'string') return String(v);
  const text = formula.test(v) ? `'${v}` : v;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCsv(header: readonly string[], rows: Iterable<readonly Cell[]>): string {
  const lines = [header.map(cell).join(',')];
  for (const row of rows) lines.push(row.map(cell).join(','));
  return `${lines.join('\r\n')}\r\n`;
}

/** Hands a table to the reader as a file. The mark at the start makes spreadsheets read UTF-8. */
export function saveCsv(name: string, header: readonly string[], rows: Iterable<readonly Cell[]>): void {
  const url = URL.createObjectURL(
    new Blob(['\ufeff', toCsv(header, rows)], { type: 'text/csv;charset=utf-8' }),
  );
  const link = document.createElement('a');
  link.href = url;
  link.download = `${name}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
