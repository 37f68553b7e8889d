import createClient from 'openapi-fetch';
import type { paths } from './gen';
import { Problem, problemFrom } from './problem';

/** The typed API: a path, parameter or field that the server does not have does not compile. */
export const api = createClient<paths>({ baseUrl: '/api/v1', credentials: 'same-origin' });

// What is wrong at a field is told in the language of the page, whatever the browser's is.
api.use({
  onRequest({ request }) {
    request.headers.set('Accept-Language', document.documentElement.lang || 'en');
  },
});

let onSignedOut: () => void = () => {};

/** Called on each answer 401 outside signing in itself. */
export function whenSignedOut(fn: () => void): void {
  onSignedOut = fn;
}

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The body of a good answer; everything else is thrown as a Problem. */
export async function ok<T>(asked: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new Problem(0, 'Server not reachable', '');
  }
  const { data, error, response } = answer;
  if (!response.ok) {
    if (response.status === 401 && !response.url.endsWith('/signin')) onSignedOut();
    throw problemFrom(
      response.status,
      response.statusText,
      error,
      response.headers.get('X-Request-Id') ?? '',
    );
  }
  return data as T;
}
