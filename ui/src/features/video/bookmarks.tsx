// Moments that people marked: to set one, and the list of them.
import { Button, Drawer, Modal, Radio, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { clock, exact, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { type Act, ActMenu } from '../../ui/acts';
import { toClipboard } from '../../ui/clipboard';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Skeleton } from '../../ui/panel';
import { useToast } from '../../ui/toast';
import { useZone, ZoneNote } from '../../ui/zone';
import styles from './bookmarks.module.css';
import type { Camera } from './camera';
import type { Bookmark } from './past';

const KEEPS = ['', 'incident', 'evidence'] as const;
type Keep = (typeof KEEPS)[number];

/** Marks a moment, or the time that is chosen. */
export function AddBookmark({
  camera,
  at,
  until,
  close,
}: {
  camera: Camera;
  at: number;
  until: number | undefined;
  close: () => void;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const toast = useToast();
  const queries = useQueryClient();
  const mayKeep = useAllowed('evidence.export');
  const [text, setText] = useState('');
  const [keep, setKeep] = useState<Keep>('');
  const add = useMutation({
    mutationFn: () =>
      ok(
        api.POST('/cameras/{camera}/bookmarks', {
          params: { path: { camera: camera.id } },
          body: {
            at: new Date(at).toISOString(),
            ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
            text,
            keep,
          },
        }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['bookmarks'] });
      toast({ text: t('video.mark.done'), tone: 'good' });
      close();
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (text.trim() !== '' && !add.isPending) add.mutate();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t('video.mark.add')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      size={520}
    >
      <form className={form.form} onSubmit={submit}>
        <p className={styles.when}>
          {camera.label || camera.id}
          <span className="num">
            {until === undefined
              ? exact(tag, at, zone)
              : t('video.mark.time', { from: exact(tag, at, zone), length: span(until - at) })}
          </span>
        </p>
        <Textarea
          label={t('video.mark.text')}
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key === 'Enter' && !e.shiftKey) submit(e);
          }}
          maxLength={500}
          autosize
          minRows={2}
          required
          data-autofocus
        />
        {mayKeep && (
          <Radio.Group label={t('video.mark.keep')} value={keep} onChange={(v) => setKeep(v as Keep)}>
            <div className={form.options}>
              {KEEPS.map((k) => (
                <Radio key={k} value={k} label={t(`video.mark.keep.${k || 'not'}`)} />
              ))}
            </div>
          </Radio.Group>
        )}
        <FormFault what={t('video.mark.failed')} error={add.error} />
        <div className={form.actions}>
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" loading={add.isPending} disabled={text.trim() === ''}>
            {t('video.mark.add')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** All marks of the cameras that are looked at, newest pictures first. */
export function Bookmarks({
  cameras,
  go,
  close,
}: {
  cameras: readonly Camera[];
  go: (b: Bookmark) => void;
  close: () => void;
}) {
  const t = useT();
  const ids = cameras.map((c) => c.id).join(',');
  const { data, error, refetch } = useQuery({
    queryKey: ['bookmarks', ids, 'all'],
    queryFn: ({ signal }) =>
      ok(api.GET('/bookmarks', { params: { query: { camera: ids, limit: 200 } }, signal })).then(
        (p) => p.items,
      ),
  });
  const names = new Map(cameras.map((c) => [c.id, c.label || c.id]));
  return (
    <Drawer
      opened
      onClose={close}
      position="right"
      size={420}
      title={t('video.marks')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <ZoneNote />
      {error ? (
        <Failed what={t('video.marks')} error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton rows={4} />
      ) : data.length === 0 ? (
        <Empty title={t('video.marks.none')}>{t('video.marks.none.text')}</Empty>
      ) : (
        <ul className={styles.list}>
          {data.map((b) => (
            <Row key={b.id} bookmark={b} camera={names.get(b.cameraId) ?? b.cameraId} go={() => go(b)} />
          ))}
        </ul>
      )}
    </Drawer>
  );
}

function Row({ bookmark: b, camera, go }: { bookmark: Bookmark; camera: string; go: () => void }) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const toast = useToast();
  const queries = useQueryClient();
  const at = Date.parse(b.at);
  const remove = useMutation({
    mutationFn: () =>
      ok(
        api.DELETE('/cameras/{camera}/bookmarks/{id}', {
          params: { path: { camera: b.cameraId, id: b.id } },
        }),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['bookmarks'] });
      toast({ text: t('video.mark.gone') });
    },
    onError: () => toast({ text: t('video.mark.stays'), tone: 'bad' }),
  });
  const acts: (Act | false)[] = [
    {
      label: t('video.mark.link'),
      icon: 'link',
      run: () =>
        void toClipboard(new URL(b.path, location.origin).href).then((done) =>
          toast({ text: t(done ? 'video.mark.linked' : 'video.mark.notLinked') }),
        ),
    },
    b.mayDelete && { label: t('video.mark.remove'), icon: 'trash', run: () => remove.mutate(), grave: true },
  ];
  return (
    <li className={styles.row}>
      <button type="button" className={styles.go} onClick={go}>
        <span className={styles.text}>{b.text}</span>
        <span className={styles.facts}>
          <span className="num" title={exact(tag, at, zone)}>
            {exact(tag, at, zone)}
            {b.until && ` – ${clock(tag, Date.parse(b.until), zone)}`}
          </span>
          <span>{camera}</span>
          <span>{b.authorName || t('video.mark.somebody')}</span>
          {b.keep !== '' && (
            <span className={styles.kept}>
              <Icon name="key" size={12} />{' '}
              {t(b.keep === 'evidence' ? 'video.mark.evidence' : 'video.mark.incident')}
            </span>
          )}
        </span>
      </button>
      <ActMenu of={b.text} acts={acts} />
    </li>
  );
}
