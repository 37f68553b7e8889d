import { Button, Drawer, Progress } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { bytes, count } from '../../format/quantity';
import { exact, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { CopyButton } from '../../ui/copy';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { Failed, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { useToast } from '../../ui/toast';
import { useZone, ZoneNote, ZoneProvider } from '../../ui/zone';
import { DeleteDialog } from './delete-dialog';
import styles from './evidence.module.css';
import { HideDialog } from './hide-dialog';
import { Log } from './log';
import { EVIDENCE, going, keyQuery, type Pack, type PackLink, packQuery, progress } from './queries';
import { ShareDialog } from './share-dialog';
import { PackState, problemKey } from './state';

/** Everything about one pack, and what can be done with it. */
export function Details({ id, close, show }: { id: string; close: () => void; show: (id: string) => void }) {
  const t = useT();
  const sites = useSites();
  const { data, error, refetch } = useQuery(packQuery(id));
  return (
    <ZoneProvider value={(data && sites.get(data.siteIds[0] ?? '')?.timeZone) || undefined}>
      <Drawer
        opened
        onClose={close}
        position="right"
        size={620}
        title={data?.reason ?? t('evidence.pack')}
        closeButtonProps={{ 'aria-label': t('action.close') }}
      >
        {error && !data ? (
          <Failed what={t('evidence.pack')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton rows={6} />
        ) : (
          <Body pack={data} show={show} />
        )}
      </Drawer>
    </ZoneProvider>
  );
}

type Asked = 'share' | 'hide' | 'delete' | null;

function Body({ pack: p, show }: { pack: Pack; show: (id: string) => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Asked>(null);
  const { data: key } = useQuery(keyQuery());
  const changed = () => queries.invalidateQueries({ queryKey: EVIDENCE });
  const base = `/api/v1/evidence/${encodeURIComponent(p.id)}`;
  const done = p.state === 'done';
  return (
    <div className={styles.details}>
      <Standing pack={p} />
      <div className={styles.acts}>
        {done && (
          <>
            <Button
              component="a"
              href={`${base}/pack.zip`}
              download={`evidence-${p.id}.zip`}
              leftSection={<Icon name="download" size={16} />}
            >
              {t('evidence.download')}
            </Button>
            <Button
              variant="default"
              leftSection={<Icon name="link" size={16} />}
              onClick={() => setAsked('share')}
            >
              {t('evidence.share')}
            </Button>
            <Button
              component="a"
              variant="default"
              href={`${base}/cover.html`}
              target="_blank"
              rel="noreferrer"
              leftSection={<Icon name="out" size={16} />}
            >
              {t('evidence.cover')}
            </Button>
            {!p.original && (
              <Button
                variant="default"
                disabled={key?.canHide === false}
                title={key?.canHide === false ? t('evidence.noTool') : undefined}
                leftSection={<Icon name="edit" size={16} />}
                onClick={() => setAsked('hide')}
              >
                {t('evidence.hide')}
              </Button>
            )}
          </>
        )}
        {p.state !== 'deleted' && (
          <Button
            variant="default"
            leftSection={<Icon name="trash" size={16} />}
            onClick={() => setAsked('delete')}
          >
            {t(going(p) ? 'evidence.cancel' : 'evidence.delete')}
          </Button>
        )}
      </div>
      {done && !p.original && key?.canHide === false && <p className="meta">{t('evidence.noTool')}</p>}
      <Facts pack={p} show={show} />
      {done && <Links pack={p} changed={changed} />}
      <Log id={p.id} />
      {asked === 'share' && <ShareDialog pack={p} close={() => setAsked(null)} changed={changed} />}
      {asked === 'hide' && (
        <HideDialog
          pack={p}
          close={() => setAsked(null)}
          made={async (id) => {
            await changed();
            show(id);
          }}
        />
      )}
      {asked === 'delete' && <DeleteDialog pack={p} close={() => setAsked(null)} changed={changed} />}
    </div>
  );
}

/** How far it is, and what is wrong. */
function Standing({ pack: p }: { pack: Pack }) {
  const t = useT();
  const tag = useTag();
  const percent = progress(p);
  return (
    <div className={styles.standing} role="status">
      <PackState pack={p} />
      {percent !== null && <Progress value={percent} aria-label={t('evidence.progress')} size="sm" />}
      {p.state === 'queued' && <p className="meta">{t('evidence.queuedText')}</p>}
      {p.state === 'failed' && <p className={styles.text}>{t(problemKey(p))}</p>}
      {p.deletion && (
        <p className={styles.text}>
          {t('evidence.deletedBy', { name: p.deletion.byName || p.deletion.by, reason: p.deletion.reason })}{' '}
          <Age at={p.deletion.at} />
        </p>
      )}
      {p.lacking > 0 && (
        <p className={styles.bad}>
          <Icon name="warn" size={16} />
          <span>{t('evidence.lacking', { n: count(tag, p.lacking) })}</span>
        </p>
      )}
    </div>
  );
}

function Facts({ pack: p, show }: { pack: Pack; show: (id: string) => void }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const [from, to] = [Date.parse(p.from), Date.parse(p.to)];
  return (
    <dl className={styles.facts}>
      <dt>{t('evidence.period')}</dt>
      <dd>
        <span className="num">
          {exact(tag, from, zone)} – {exact(tag, to, zone)}
        </span>{' '}
        <span className="meta">{span(to - from)}</span>
        <br />
        <ZoneNote />
      </dd>
      <dt>{t('evidence.cameras')}</dt>
      <dd>
        <Link
          to="/cameras"
          search={{
            view: 'review',
            cams: p.cameras
              .slice(0, 4)
              .map((c) => c.id)
              .join(','),
            at: from,
          }}
          className={styles.link}
        >
          {p.cameras.map((c) => c.label || c.id).join(', ')}
        </Link>
      </dd>
      {p.incident && (
        <>
          <dt>{t('evidence.incident')}</dt>
          <dd>
            <Link to="/incidents/$id" params={{ id: p.incident }} className={`mono ${styles.link}`}>
              {p.incident}
            </Link>
          </dd>
        </>
      )}
      {p.original && (
        <>
          <dt>{t('evidence.original')}</dt>
          <dd>
            <button type="button" className={`mono ${styles.open}`} onClick={() => show(p.original)}>
              {p.original}
            </button>
          </dd>
        </>
      )}
      <dt>{t('evidence.by')}</dt>
      <dd>
        {p.byName || p.by}, <Age at={p.askedAt} />
      </dd>
      {p.state === 'done' && (
        <>
          <dt>{t('evidence.holds')}</dt>
          <dd>
            {p.original
              ? t('evidence.ofDerived', { size: bytes(tag, p.bytes) })
              : t('evidence.of', { size: bytes(tag, p.bytes), n: count(tag, p.segments) })}
          </dd>
          <dt>{t('evidence.sum')}</dt>
          <dd className={styles.hash}>
            <span className="mono">{p.sha256}</span>
            <CopyButton value={p.sha256} what={t('evidence.sum')} />
          </dd>
          <dt>{t('evidence.signedWith')}</dt>
          <dd className={styles.hash}>
            <span className="mono">{p.fingerprint}</span>
            <CopyButton value={p.fingerprint} what={t('evidence.fingerprint')} />
          </dd>
        </>
      )}
      {!p.original && (
        <>
          <dt>{t('evidence.locked')}</dt>
          <dd>{p.held > 0 ? t('evidence.lockedYes') : t('evidence.lockedNo')}</dd>
        </>
      )}
      <dt>{t('evidence.id')}</dt>
      <dd className="mono">{p.id}</dd>
    </dl>
  );
}

/** The links to a pack: until when, how often they were used, and their end. */
function Links({ pack: p, changed }: { pack: Pack; changed: () => unknown }) {
  const t = useT();
  return (
    <section className={styles.part}>
      <h3 className={styles.small}>{t('evidence.links')}</h3>
      {p.links.length === 0 ? (
        <p className="meta">{t('evidence.noLinks')}</p>
      ) : (
        <ul className={styles.list}>
          {[...p.links].reverse().map((l) => (
            <LinkRow key={l.id} pack={p} link={l} changed={changed} />
          ))}
        </ul>
      )}
    </section>
  );
}

function LinkRow({ pack, link: l, changed }: { pack: Pack; link: PackLink; changed: () => unknown }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const end = async () => {
    setBusy(true);
    try {
      await ok(api.DELETE('/evidence/{id}/links/{link}', { params: { path: { id: pack.id, link: l.id } } }));
      await changed();
      toast({ text: t('evidence.linkEnded'), tone: 'good' });
    } catch {
      toast({ text: t('evidence.linkNotEnded'), tone: 'bad' });
    } finally {
      setBusy(false);
    }
  };
  const until = exact(tag, Date.parse(l.expiresAt), zone);
  return (
    <li className={styles.item} data-over={!l.open || undefined}>
      <div>
        <p className={styles.text}>
          {l.open
            ? t('evidence.linkUntil', { until })
            : l.ended
              ? t('evidence.linkRevoked')
              : l.wrong >= 10
                ? t('evidence.linkLocked')
                : t('evidence.linkOver', { until })}
        </p>
        <p className="meta">
          {t('evidence.linkUse', { seen: count(tag, l.seen), taken: count(tag, l.taken) })}
          {l.wrong > 0 && `, ${t('evidence.linkWrong', { n: count(tag, l.wrong) })}`}
          {l.usedAt && (
            <>
              {' · '}
              <Age at={l.usedAt} prefix={`${t('evidence.linkUsed')} `} />
            </>
          )}
        </p>
      </div>
      {l.open && (
        <Button size="compact-sm" variant="default" loading={busy} onClick={() => void end()}>
          {t('evidence.revoke')}
        </Button>
      )}
    </li>
  );
}
