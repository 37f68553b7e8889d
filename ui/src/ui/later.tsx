// Pages and parts of pages whose code comes when they are first shown.
import { type FunctionComponent, lazy, type ReactNode, useState } from 'react';

type Renew = { renew: () => void; times: number };

// Those whose code did not come. React keeps such a failure for ever; so each is made anew
// when somebody asks for it again.
const failed = new Set<Renew>();

type Code = (props: never) => ReactNode;

type PropsOf<C extends Code> = C extends (props: infer P) => ReactNode
  ? unknown extends P
    ? object
    : P
  : never;

/** What is shown with code that comes later; preload brings it before. */
export type Later<C extends Code> = FunctionComponent<PropsOf<C>> & { preload: () => Promise<void> };

/** A part whose code comes when it is first shown, and can be asked for again. */
export function later<C extends Code>(load: () => Promise<{ default: C }>): Later<C> {
  type Part = FunctionComponent<PropsOf<C>>;
  const mine: Renew = { renew: () => (part = make()), times: 0 };
  let here: Part | undefined;
  const bring = () =>
    load().then(
      (code) => {
        mine.times = 0;
        here = code.default as unknown as Part;
        return { default: here };
      },
      (error: unknown) => {
        mine.times++;
        failed.add(mine);
        throw error;
      },
    );
  const make = () => lazy(bring);
  let part = make();
  function Later(props: PropsOf<C>) {
    // What is here already is shown at once, and stays what it is.
    const [Shown] = useState<Part>(() => here ?? (part as unknown as Part));
    return <Shown {...(props as PropsOf<C> & object)} />;
  }
  const preload = async () => {
    try {
      here = (await load()).default as unknown as Part;
    } catch {
      // Whoever shows it tells what went wrong.
    }
  };
  return Object.assign(Later, { preload });
}

/**
 * Has everything whose code did not come asked for anew when it is shown next. A browser
 * may keep the failure of a file as well, and a new version has files of other names: what
 * did not come twice comes with the page.
 */
export function retryParts(reload: () => void = () => location.reload()): void {
  const parts = [...failed];
  failed.clear();
  for (const part of parts) part.renew();
  if (parts.some((part) => part.times > 1)) reload();
}
