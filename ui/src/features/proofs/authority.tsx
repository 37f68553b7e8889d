// Who signs: the root of the server with its change, and the authority of stations.
import { Button, Checkbox, Progress, Textarea } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { day } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import styles from './proofs.module.css';
import { authorityQuery, pairs, ROOTS, type RootChange, type Roots, rootsQuery } from './queries';

type Open = 'begin' | 'switch' | 'remove' | 'finish' | 'abandon';

export default function Authority() {
  const t = useT();
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(rootsQuery());
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const changed = () => queries.invalidateQueries({ queryKey: ROOTS });
  const change = data?.change && !OVER.has(data.change.state) ? data.change : null;
  return (
    <Panel
      title={t('proofs.authority')}
      aside={
        data &&
        data.roots.length > 0 &&
        !change && (
          <Button variant="default" onClick={() => setOpen('begin')}>
            {t('proofs.root.change')}
          </Button>
        )
      }
    >
      {error && !data ? (
        <Failed what={t('proofs.authority')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={3} />
      ) : data.roots.length === 0 ? (
        <Empty title={t('proofs.noRoot')}>{t('proofs.noRootText')}</Empty>
      ) : (
        <div className={styles.stack}>
          {data.roots.map((r) => (
            <Root key={r.fingerprint} title={t('proofs.root.ours')} of={r} />
          ))}
          {change && <Change of={change} open={setOpen} />}
          {data.change && OVER.has(data.change.state) && data.change.finishedAt && (
            <p className="meta">
              {t(data.change.state === 'done' ? 'proofs.change.done' : 'proofs.change.abandoned')}{' '}
              <Age at={data.change.finishedAt} />
            </p>
          )}
          <Signer />
        </div>
      )}
      {open === 'begin' && <BeginChange close={close} changed={changed} />}
      {open === 'switch' && change && <Switch of={change} close={close} changed={changed} />}
      {open === 'remove' && (
        <FormDialog
          title={t('proofs.remove')}
          close={close}
          send={() => ok(api.POST('/system/station-root/remove', {}))}
          sent={changed}
          action={t('proofs.remove')}
          failed={t('proofs.notChanged')}
        >
          <Effect>{t('proofs.removeText')}</Effect>
        </FormDialog>
      )}
      {open === 'finish' && (
        <FormDialog
          title={t('proofs.finish')}
          close={close}
          send={() => ok(api.POST('/system/station-root/finish', {}))}
          sent={changed}
          action={t('proofs.finish')}
          failed={t('proofs.notChanged')}
        >
          <Effect>{t('proofs.finishText')}</Effect>
        </FormDialog>
      )}
      {open === 'abandon' && (
        <FormDialog
          title={t('proofs.giveUp')}
          close={close}
          send={() => ok(api.DELETE('/system/station-root', {}))}
          sent={changed}
          action={t('proofs.giveUp')}
          failed={t('proofs.notChanged')}
          grave
        >
          <Effect>{t('proofs.giveUpText')}</Effect>
        </FormDialog>
      )}
    </Panel>
  );
}

const OVER = new Set<RootChange['state']>(['done', 'abandoned']);
const SOON = 30;

function Root({ title, of: r }: { title: string; of: Roots['roots'][number] }) {
  const t = useT();
  const tag = useTag();
  return (
    <div>
      <p className={styles.label}>
        {title} <span className="meta">{r.subject.replace(/^CN=/, '')}</span>
      </p>
      <CopyLine value={pairs(r.fingerprint)} what={t('proofs.fingerprint')} />
      <p className={r.daysLeft < SOON ? styles.soon : 'meta'}>
        {r.daysLeft < SOON && <Icon name="warn" size={14} />}
        {t('proofs.endsAt', { n: r.daysLeft, at: day(tag, Date.parse(r.notAfter)) })}
      </p>
    </div>
  );
}

const STEPS = ['installing', 'switched', 'removing'] as const;

/** How far the change of the root is, and the next step of it. */
function Change({ of: c, open }: { of: RootChange; open: (what: Open) => void }) {
  const t = useT();
  const tag = useTag();
  const at = STEPS.indexOf(c.state === 'switching' ? 'installing' : (c.state as (typeof STEPS)[number]));
  const removing = c.state === 'removing';
  const part = removing ? c.gone : c.has;
  const counts = removing
    ? ([
        ['proofs.count.gone', c.gone],
        ['proofs.count.kept', c.kept],
      ] as const)
    : ([
        ['proofs.count.has', c.has],
        ['proofs.count.waiting', c.waiting],
        ['proofs.count.refused', c.refused],
        ['proofs.count.unfit', c.unfit],
        ['proofs.count.relayed', c.relayed],
      ] as const);
  return (
    <section className={styles.change} aria-label={t('proofs.change')}>
      <ol className={styles.steps}>
        {STEPS.map((s, i) => (
          <li key={s} aria-current={i === at ? 'step' : undefined} data-done={i < at}>
            {t(`proofs.step.${s}`)}
          </li>
        ))}
      </ol>
      <Root title={t('proofs.root.new')} of={c.root} />
      <Progress
        value={c.stations === 0 ? 0 : (100 * part) / c.stations}
        aria-label={t(removing ? 'proofs.count.gone' : 'proofs.count.has')}
      />
      <dl className={styles.counts}>
        {counts.map(([label, n]) => (
          <div key={label}>
            <dt className="meta">{t(label)}</dt>
            <dd className="num">{count(tag, n)}</dd>
          </div>
        ))}
        <div>
          <dt className="meta">{t('proofs.count.stations')}</dt>
          <dd className="num">{count(tag, c.stations)}</dd>
        </div>
      </dl>
      {c.state === 'installing' && (
        <p className={styles.text}>
          {c.byTls === 0
            ? t('proofs.noneByTls')
            : c.lackingAll === 0
              ? t('proofs.ready')
              : t('proofs.lacking', { n: c.lackingAll })}
        </p>
      )}
      {c.lacking.length > 0 && <Lacking of={c} />}
      <div className={styles.acts}>
        {c.state === 'installing' && (
          <>
            <Button onClick={() => open('switch')}>{t('proofs.switch')}</Button>
            <Button variant="default" onClick={() => open('abandon')}>
              {t('proofs.giveUp')}
            </Button>
          </>
        )}
        {c.state === 'switched' && <Button onClick={() => open('remove')}>{t('proofs.remove')}</Button>}
        {(c.state === 'switched' || removing) && (
          <Button variant="default" onClick={() => open('finish')}>
            {t('proofs.finish')}
          </Button>
        )}
      </div>
    </section>
  );
}

const SHOWN = 10;

function Lacking({ of: c }: { of: RootChange }) {
  const t = useT();
  const [all, setAll] = useState(false);
  const shown = all ? c.lacking : c.lacking.slice(0, SHOWN);
  return (
    <ul className={styles.lacking} aria-label={t('proofs.lackingList')}>
      {shown.map((l) => (
        <li key={l.station}>
          <Link to="/stations/$id" params={{ id: l.station }} className="mono">
            {l.station}
          </Link>{' '}
          <span className="meta">
            {t(`proofs.why.${l.why}`)}
            {l.said && l.why !== 'waiting' && ` (${l.said})`}
          </span>
        </li>
      ))}
      {c.lacking.length > SHOWN && !all && (
        <li>
          <Button variant="subtle" size="xs" onClick={() => setAll(true)}>
            {t('proofs.showAll', { n: c.lacking.length })}
          </Button>
        </li>
      )}
    </ul>
  );
}

function BeginChange({ close, changed }: { close: () => void; changed: () => unknown }) {
  const t = useT();
  const [text, setText] = useState('');
  return (
    <FormDialog
      title={t('proofs.root.change')}
      close={close}
      send={() =>
        ok(
          api.POST('/system/station-root', {
            body: text.trim() === '' ? {} : { certificate: text.trim() },
          }),
        )
      }
      sent={changed}
      action={t('proofs.begin')}
      failed={t('proofs.notChanged')}
    >
      {(error) => (
        <>
          <Effect>{t('proofs.beginText')}</Effect>
          <Textarea
            label={t('proofs.import')}
            description={t('proofs.importHint')}
            value={text}
            onChange={(e) => setText(e.currentTarget.value)}
            error={faultAt(error, 'certificate')}
            rows={5}
            spellCheck={false}
            maxLength={5500}
          />
        </>
      )}
    </FormDialog>
  );
}

function Switch({ of: c, close, changed }: { of: RootChange; close: () => void; changed: () => unknown }) {
  const t = useT();
  const [agreed, setAgreed] = useState(false);
  const lost = c.lacking.map((l) => l.station);
  return (
    <FormDialog
      title={t('proofs.switch')}
      close={close}
      send={() => ok(api.POST('/system/station-root/switch', { body: { without: lost } }))}
      sent={changed}
      action={t('proofs.switch')}
      failed={t('proofs.notChanged')}
      grave={lost.length > 0}
      ready={lost.length === 0 || agreed}
    >
      <Effect>{t('proofs.switchText')}</Effect>
      {lost.length > 0 && (
        <>
          <p className={styles.soon}>
            <Icon name="warn" size={14} /> {t('proofs.lacking', { n: c.lackingAll })}
          </p>
          <Lacking of={c} />
          <Checkbox
            label={t('proofs.agree', { n: lost.length })}
            checked={agreed}
            onChange={(e) => setAgreed(e.currentTarget.checked)}
          />
        </>
      )}
    </FormDialog>
  );
}

/** Who makes the certificates of stations. */
function Signer() {
  const t = useT();
  const { data, error, refetch } = useQuery(authorityQuery());
  if (error && !data) return <Failed what={t('proofs.signer')} error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton rows={1} />;
  return (
    <div>
      <p className={styles.label}>{t('proofs.signer')}</p>
      <p className={styles.text}>
        {data.url === '' ? t('proofs.signer.own') : t('proofs.signer.other', { url: data.url })}{' '}
        {data.organization !== '' && t('proofs.signer.organization', { name: data.organization })}
      </p>
    </div>
  );
}
