import { Problem, problemFrom } from './problem';

type Params = Record<string, string | number | boolean | undefined>;

export type RequestOptions = { params?: Params; body?: unknown; signal?: AbortSignal };

const base = '/api/v1';

function address(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${base}${path}?${text}` : `${base}${path}`;
}

let onSignedOut: () => void = () => {};

/** Called once per answer 401 outside the sign-in page itself. */
export function whenSignedOut(fn: () => void): void {
  onSignedOut = fn;
}

export async function call<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const { params, body, signal } = options;
  let response: Response;
  try {
    response = await fetch(address(path, params), {
      method,
      credentials: 'same-origin',
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new Problem(0, 'Server not reachable', '');
  }
  const text = await response.text();
  let parsed: unknown;
  try {
    parsed = text === '' ? undefined : JSON.parse(text);
  } catch {
    parsed = undefined;
  }
  if (!response.ok) {
    if (response.status === 401 && path !== '/signin') onSignedOut();
    throw problemFrom(
      response.status,
      response.statusText,
      parsed,
      response.headers.get('X-Request-Id') ?? '',
    );
  }
  return parsed as T;
}

export const get = <T>(path: string, params?: Params, signal?: AbortSignal): Promise<T> =>
  call<T>('GET', path, { params, signal });
export const post = <T>(path: string, body?: unknown, params?: Params): Promise<T> =>
  call<T>('POST', path, { body, params });

/** One segment of a path: identities of stations may hold any character. */
export const seg = (id: string): string => encodeURIComponent(id);
