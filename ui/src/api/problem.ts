export type FieldFault = { message: string; location: string; value?: unknown };

/** An RFC 9457 problem document, or the nearest thing to it when no server answered. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly faults: FieldFault[] = [],
    readonly requestId = '',
  ) {
    super(detail || title);
    this.name = 'Problem';
  }

  get unreachable(): boolean {
    return this.status === 0;
  }
}

export function problemFrom(status: number, statusText: string, body: unknown, requestId: string): Problem {
  if (typeof body === 'object' && body !== null) {
    const b = body as Record<string, unknown>;
    const text = (v: unknown) => (typeof v === 'string' ? v : '');
    const faults = Array.isArray(b.errors)
      ? b.errors.flatMap((e: unknown): FieldFault[] => {
          if (typeof e !== 'object' || e === null) return [];
          const fault = e as Record<string, unknown>;
          return [{ message: text(fault.message), location: text(fault.location), value: fault.value }];
        })
      : [];
    return new Problem(status, text(b.title) || statusText, text(b.detail), faults, requestId);
  }
  return new Problem(status, statusText, '', [], requestId);
}
