// What was seen on site. A photo is made small here, because a phone in a garage
// has little line, and what could not be sent waits to be sent again.
import { Button, Modal } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem, problemFrom } from '../../api/problem';
import { useT } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import { prepare, TAKES, Unreadable } from '../site/upload';
import styles from './photos.module.css';
import { type OrderDetail, orderQuery } from './queries';

const LONGEST = 2048;
const MOST = 24;

type Photo = OrderDetail['photoList'][number];

const picture = (order: string, photo: string, small: boolean) =>
  `/api/v1/workorders/${encodeURIComponent(order)}/photos/${encodeURIComponent(photo)}${small ? '?size=small' : ''}`;

async function send(order: string, shot: Blob): Promise<void> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/workorders/${encodeURIComponent(order)}/photos`, {
      method: 'POST',
      body: shot,
      headers: { 'Content-Type': 'application/octet-stream' },
      credentials: 'same-origin',
    });
  } catch {
    throw new Problem(0, 'Server not reachable', '');
  }
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => null);
    throw problemFrom(response.status, response.statusText, body, response.headers.get('X-Request-Id') ?? '');
  }
}

/** A photo on its way. The same bytes are sent again, so that the server knows them. */
type Waiting = { key: number; url: string; shot: Blob | null; error: unknown };

function useSending(order: string) {
  const queries = useQueryClient();
  const [waiting, setWaiting] = useState<readonly Waiting[]>([]);
  const shown = useRef(waiting);
  shown.current = waiting;
  const next = useRef(1);
  // The addresses of what is left are freed with the drawer.
  useEffect(
    () => () => {
      for (const w of shown.current) URL.revokeObjectURL(w.url);
    },
    [],
  );
  const put = (key: number, part: Partial<Waiting>) =>
    setWaiting((all) => all.map((w) => (w.key === key ? { ...w, ...part } : w)));
  const drop = (w: Waiting) => {
    URL.revokeObjectURL(w.url);
    setWaiting((all) => all.filter((x) => x.key !== w.key));
  };
  const deliver = async (w: Waiting, file?: File) => {
    put(w.key, { error: null });
    try {
      const shot = w.shot ?? (file ? await prepare(file, LONGEST, true) : null);
      if (!shot) return;
      put(w.key, { shot });
      await send(order, shot);
      await queries.invalidateQueries({ queryKey: orderQuery(order).queryKey });
      void queries.invalidateQueries({ queryKey: ['workorders'] });
      drop(w);
    } catch (error) {
      put(w.key, { error });
    }
  };
  const add = async (files: readonly File[]) => {
    const fresh = files.map(
      (file): Waiting => ({ key: next.current++, url: URL.createObjectURL(file), shot: null, error: null }),
    );
    setWaiting((all) => [...all, ...fresh]);
    // One after the other: half a photo helps nobody when the line breaks.
    for (const [i, w] of fresh.entries()) await deliver(w, files[i]);
  };
  return { waiting, add, again: (w: Waiting) => void deliver(w), drop };
}

export function Photos({ order: o, locked }: { order: OrderDetail; locked: boolean }) {
  const t = useT();
  const camera = useRef<HTMLInputElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const { waiting, add, again, drop } = useSending(o.id);
  const [open, setOpen] = useState<string | null>(null);
  if (locked && o.photoList.length === 0) return null;
  const input = (ref: typeof files, capture: boolean) => (
    <input
      ref={ref}
      type="file"
      accept={TAKES}
      {...(capture ? { capture: 'environment' as const } : { multiple: true })}
      hidden
      aria-label={capture ? t('maintenance.photo.take') : t('maintenance.photo.choose')}
      onChange={(e) => {
        const chosen = [...(e.currentTarget.files ?? [])];
        e.currentTarget.value = '';
        void add(chosen);
      }}
    />
  );
  const room = MOST - o.photoList.length - waiting.length;
  return (
    <section>
      <h3 className={styles.title}>
        {t('maintenance.photos')}{' '}
        {o.photoList.length > 0 && <span className="num meta">{o.photoList.length}</span>}
      </h3>
      {(o.photoList.length > 0 || waiting.length > 0) && (
        <ul className={styles.photos}>
          {o.photoList.map((p, i) => (
            <li key={p.id}>
              <button type="button" className={styles.photo} onClick={() => setOpen(p.id)}>
                <img
                  src={picture(o.id, p.id, true)}
                  alt={t('maintenance.photo.of', { n: i + 1, who: who(o, p, t('maintenance.somebody')) })}
                  loading="lazy"
                  decoding="async"
                />
              </button>
              <span className="meta">
                <Age at={p.at} />
              </span>
            </li>
          ))}
          {waiting.map((w) => (
            <li key={`waiting ${w.key}`}>
              <span className={styles.photo} data-waiting>
                <img src={w.url} alt="" />
              </span>
              {w.error ? (
                <span className={styles.failed} role="alert">
                  <span>
                    {w.error instanceof Unreadable
                      ? t('maintenance.photo.unreadable')
                      : w.error instanceof Problem && w.error.detail
                        ? w.error.detail
                        : t('maintenance.photo.unsent')}
                  </span>
                  <span className={styles.acts}>
                    {w.shot && (
                      <Button size="compact-sm" variant="default" onClick={() => again(w)}>
                        {t('maintenance.photo.again')}
                      </Button>
                    )}
                    <Button size="compact-sm" variant="subtle" color="gray" onClick={() => drop(w)}>
                      {t('maintenance.photo.drop')}
                    </Button>
                  </span>
                </span>
              ) : (
                <span className="meta" role="status">
                  {t('maintenance.photo.sending')}
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      {!locked && (
        <>
          {input(camera, true)}
          {input(files, false)}
          <div className={styles.adding}>
            <Button
              size="md"
              variant="default"
              className={styles.onPhone}
              disabled={room <= 0}
              onClick={() => camera.current?.click()}
            >
              {t('maintenance.photo.take')}
            </Button>
            <Button
              size="md"
              variant="default"
              leftSection={<Icon name="plus" size={14} />}
              disabled={room <= 0}
              onClick={() => files.current?.click()}
            >
              {t('maintenance.photo.choose')}
            </Button>
          </div>
          <p className={`meta ${styles.note}`}>
            {room <= 0 ? t('maintenance.photo.full', { n: MOST }) : t('maintenance.photo.note')}
          </p>
        </>
      )}
      {open !== null && <Large order={o} id={open} show={setOpen} />}
    </section>
  );
}

const who = (o: OrderDetail, p: Photo, somebody: string) => o.people[p.by] ?? somebody;

/** One photo as large as the screen; arrow keys go on. */
function Large({
  order: o,
  id,
  show,
}: {
  order: OrderDetail;
  id: string;
  show: (id: string | null) => void;
}) {
  const t = useT();
  const queries = useQueryClient();
  const [sure, setSure] = useState(false);
  const [missing, setMissing] = useState<string | null>(null);
  const at = o.photoList.findIndex((p) => p.id === id);
  const p = o.photoList[at];
  const remove = useMutation({
    mutationFn: () =>
      ok(api.DELETE('/workorders/{id}/photos/{photo}', { params: { path: { id: o.id, photo: id } } })),
    onSuccess: async () => {
      const near = o.photoList[at + 1] ?? o.photoList[at - 1];
      setSure(false);
      show(near ? near.id : null);
      await queries.invalidateQueries({ queryKey: orderQuery(o.id).queryKey });
      void queries.invalidateQueries({ queryKey: ['workorders'] });
    },
  });
  // Somebody else may have deleted it meanwhile.
  useEffect(() => {
    if (!p) show(null);
  }, [p, show]);
  if (!p) return null;
  const go = (step: number) => {
    const next = o.photoList[at + step];
    if (!next) return;
    setSure(false);
    show(next.id);
  };
  return (
    <Modal
      opened
      fullScreen
      onClose={() => show(null)}
      title={t('maintenance.photo.title', { n: at + 1, of: o.photoList.length })}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      classNames={{ content: styles.large, body: styles.largeBody }}
      onKeyDown={(e) => {
        if (e.key === 'ArrowLeft') go(-1);
        if (e.key === 'ArrowRight') go(1);
      }}
    >
      <div className={styles.stage}>
        {missing === id ? (
          <p role="alert">{t('maintenance.photo.missing')}</p>
        ) : (
          <img
            key={id}
            src={picture(o.id, id, false)}
            width={p.width}
            height={p.height}
            alt={t('maintenance.photo.of', { n: at + 1, who: who(o, p, t('maintenance.somebody')) })}
            onError={() => setMissing(id)}
          />
        )}
      </div>
      <FormFault what={t('maintenance.photo.kept')} error={remove.error} />
      <div className={styles.foot}>
        <Button variant="default" disabled={at === 0} onClick={() => go(-1)}>
          {t('maintenance.photo.before')}
        </Button>
        <Button variant="default" disabled={at === o.photoList.length - 1} onClick={() => go(1)}>
          {t('maintenance.photo.next')}
        </Button>
        <span className={styles.by}>
          {who(o, p, t('maintenance.somebody'))}, <Age at={p.at} />
        </span>
        <a href={picture(o.id, id, false)} download={`order-${o.number}-${at + 1}.jpg`}>
          {t('maintenance.photo.download')}
        </a>
        {p.deletable &&
          (sure ? (
            <>
              <Button variant="default" onClick={() => setSure(false)}>
                {t('action.cancel')}
              </Button>
              <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
                {t('maintenance.photo.deleteForAll')}
              </Button>
            </>
          ) : (
            <Button variant="subtle" color="gray" onClick={() => setSure(true)}>
              {t('maintenance.photo.delete')}
            </Button>
          ))}
      </div>
    </Modal>
  );
}
