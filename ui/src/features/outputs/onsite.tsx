// What can be switched at a site, for those who must act now: big buttons, each with what
// it is doing and what became of the last press.
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { isTyping, SEQUENCE_MS } from '../../app/keymap';
import { useT } from '../../i18n/i18n';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { AskDialog } from './ask';
import { useOutputs } from './feed';
import { isOn, kindOf, type Output, ofSite } from './output';
import styles from './outputs.module.css';
import { OutputRow } from './row';
import { useSwitch } from './switch';

export function OnSite({
  site,
  incident,
  needed = false,
}: {
  site: string;
  /** What it is switched for. */
  incident?: string;
  /** Where one is missed if there is none; elsewhere the panel is then away. */
  needed?: boolean;
}) {
  const may = useAllowed('outputs.read');
  return may && site ? <Allowed site={site} incident={incident} needed={needed} /> : null;
}

function Allowed({
  site,
  incident,
  needed,
}: {
  site: string;
  incident: string | undefined;
  needed: boolean;
}) {
  const t = useT();
  const maySwitch = useAllowed('outputs.switch');
  const maySet = useAllowed('outputs.write');
  const { data, error, refetch } = useOutputs();
  const [asking, setAsking] = useState<Output | null>(null);
  const list = ofSite(data, site);
  const busy = list.some((o) => isOn(o) || o.request !== null);
  useKeys(list, incident, maySwitch, setAsking);
  if (!needed && incident && !busy) return null;
  if (!needed && list.length === 0) return null;
  const setUp = (
    <Link className={styles.setUp} to="/settings" search={{ tab: 'outputs' }}>
      {t('outputs.setUp')}
    </Link>
  );
  return (
    <Panel
      title={t('outputs.onSite')}
      flush={list.length > 0}
      {...(maySet && list.length > 0 ? { aside: setUp } : {})}
    >
      {list.length > 0 ? (
        <ul className={styles.rows} aria-label={t('outputs.title')}>
          {list.map((o) => (
            <OutputRow key={o.id} of={o} incident={incident} may={maySwitch} ask={setAsking} />
          ))}
        </ul>
      ) : error ? (
        <Failed what={t('outputs.title')} error={error} retry={() => void refetch()} />
      ) : data === undefined ? (
        <Skeleton rows={2} />
      ) : (
        <Empty title={t('outputs.noneHere')} {...(maySet ? { action: setUp } : {})}>
          {t(maySet ? 'outputs.noneText' : 'outputs.noneAsk')}
        </Empty>
      )}
      {asking && <AskDialog of={asking} incident={incident} close={() => setAsking(null)} />}
    </Panel>
  );
}

/** L switches the light, T speaks: the two that are reached for first. */
function useKeys(
  list: readonly Output[],
  incident: string | undefined,
  may: boolean,
  ask: (o: Output) => void,
) {
  const light = list.find((o) => kindOf(o.kind) === 'light');
  const speaker = list.find((o) => kindOf(o.kind) === 'speaker');
  const { mutate } = useSwitch(light?.id ?? '', incident);
  const wentAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (!may || !incident) return;
    const onKey = (e: KeyboardEvent) => {
      const going = e.timeStamp - wentAt.current <= SEQUENCE_MS;
      wentAt.current = e.key === 'g' ? e.timeStamp : Number.NEGATIVE_INFINITY;
      if (going || e.defaultPrevented || e.repeat || e.ctrlKey || e.metaKey || e.altKey || isTyping(e.target))
        return;
      if (document.querySelector('[role=dialog][aria-modal=true]')) return;
      if (e.key === 'l' && light) {
        e.preventDefault();
        mutate({ on: !isOn(light) });
      } else if (e.key === 't' && speaker) {
        e.preventDefault();
        ask(speaker);
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [may, incident, light, speaker, mutate, ask]);
}
