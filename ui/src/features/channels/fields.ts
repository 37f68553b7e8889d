// The form of a channel follows what the server says a type of channel must be
// told. A draft holds what stands in the fields; what is sent is made of it.
import type { Problem } from '../../api/problem';
import type { ChannelType, Field } from './queries';

export type Value = string | number | boolean | string[];
export type Draft = Record<string, Value>;

/** Secrets that a person touched: the new value, or empty to remove it. Untouched ones stay as they are. */
export type SecretDraft = Record<string, string>;

function initial(f: Field, given: unknown): Value {
  const v = given ?? f.default;
  switch (f.form) {
    case 'boolean':
      return v === true;
    case 'list':
      return Array.isArray(v) ? v.map(String) : [];
    case 'number':
      return typeof v === 'number' ? v : '';
    default:
      return typeof v === 'string' ? v : '';
  }
}

export function draftOf(type: ChannelType, settings: Record<string, unknown> = {}): Draft {
  return Object.fromEntries(
    type.fields.filter((f) => !f.secret).map((f) => [f.name, initial(f, settings[f.name])]),
  );
}

/** What the server is sent; what is left empty is not sent, so that its default holds. */
export function settingsOf(type: ChannelType, draft: Draft): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const f of type.fields) {
    if (f.secret) continue;
    const v = draft[f.name];
    if (v === undefined) continue;
    if (Array.isArray(v)) {
      const items = v.map((x) => x.trim()).filter(Boolean);
      if (items.length > 0) out[f.name] = items;
    } else if (typeof v === 'string') {
      const text = f.form === 'pem' ? v : v.trim();
      if (text !== '') out[f.name] = f.form === 'number' ? Number(text) : text;
    } else out[f.name] = v;
  }
  return out;
}

export function secretsOf(type: ChannelType, secrets: SecretDraft, fresh: boolean): Record<string, string> {
  const names = new Set(type.fields.filter((f) => f.secret).map((f) => f.name));
  return Object.fromEntries(
    Object.entries(secrets)
      .filter(([name, value]) => names.has(name) && !(fresh && value.trim() === ''))
      .map(([name, value]) => [name, value.includes('\n') ? value : value.trim()]),
  );
}

/** Whether everything that must be told stands there. */
export function complete(
  type: ChannelType,
  draft: Draft,
  secrets: SecretDraft,
  set: readonly string[],
): boolean {
  const settings = settingsOf(type, draft);
  return type.fields.every((f) => {
    if (!f.required) return true;
    if (!f.secret) return f.name in settings;
    const touched = secrets[f.name];
    return touched === undefined ? set.includes(f.name) : touched.trim() !== '';
  });
}

/** What the server says is wrong at a field or inside it. */
export function faultUnder(error: Problem | null, field: string): string | undefined {
  return error?.faults.find((f) => {
    const at = f.location.replace(/^body\.?/, '');
    return at === field || at.startsWith(`${field}[`) || at.startsWith(`${field}.`);
  })?.message;
}

/** Where a channel leads, in a few signs: an address without its path, recipients, a topic. */
export function leadsTo(settings: Record<string, unknown>): string {
  const text = (name: string): string =>
    typeof settings[name] === 'string' ? (settings[name] as string) : '';
  if (Array.isArray(settings.to)) return settings.to.map(String).join(', ');
  const host = hostOf(text('url'));
  const at = text('topic') || text('chatId');
  return [host, at].filter(Boolean).join(' · ') || text('contact').replace(/^mailto:/, '');
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return url;
  }
}
