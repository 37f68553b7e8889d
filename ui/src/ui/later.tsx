// Pages and parts of pages whose code comes when they are first shown.
import { type ComponentType, type FunctionComponent, lazy, useState } from 'react';

type Renew = { renew: () => void; times: number };

// Those whose code did not come. React keeps such a failure for ever; so each is made anew
// when somebody asks for it again.
const failed = new Set<Renew>();

/** What is shown with code that comes later; preload brings it before. */
export type Later<P extends object> = FunctionComponent<P> & { preload: () => Promise<void> };

/** A part whose code comes when it is first shown, and can be asked for again. */
export function later<P extends object>(load: () => Promise<{ default: ComponentType<P> }>): Later<P> {
  const mine: Renew = { renew: () => (part = make()), times: 0 };
  let here: ComponentType<P> | undefined;
  const bring = () =>
    load().then(
      (code) => {
        mine.times = 0;
        here = code.default;
        return code;
      },
      (error: unknown) => {
        mine.times++;
        failed.add(mine);
        throw error;
      },
    );
  const make = () => lazy(bring);
  let part = make();
  function Later(props: P) {
    // What is here already is shown at once, and stays what it is.
    const [Part] = useState<ComponentType<P>>(() => here ?? part);
    return <Part {...props} />;
  }
  const preload = async () => {
    try {
      here = (await load()).default;
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
