import { Button, Modal, MultiSelect, NumberInput, Switch, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { api, ok } from '../../api/client';
import type { components } from '../../api/gen';
import { Problem } from '../../api/problem';
import { savedViewsQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { agentWords } from '../../ui/agent';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { useSites } from '../../ui/sites';
import { useToast } from '../../ui/toast';
import styles from './edit.module.css';
import { type Kiosk, kiosksQuery } from './queries';
import { isOwnPath, ROTATE } from './views';

type Pending = components['schemas']['PendingKioskShape'];
type Chosen = { name: string; sites: string[]; views: string[]; rotateSeconds: number; video: boolean };

/** First the code, then who shows it, then what it may see. */
export function AddScreen({ code: given, close }: { code: string; close: () => void }) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const [code, setCode] = useState(given);
  const find = useMutation({
    mutationFn: (c: string) => ok(api.GET('/kiosks/pending/{id}', { params: { path: { id: c.trim() } } })),
  });
  const approve = useMutation({
    mutationFn: (c: Chosen) => ok(api.POST('/kiosks', { body: { ...c, code: find.data?.code ?? '' } })),
    onSuccess: async (k) => {
      await queries.invalidateQueries({ queryKey: kiosksQuery().queryKey });
      toast({ text: t('kiosk.approved', { name: k.name }), tone: 'good' });
      close();
    },
  });
  const { mutate } = find;
  const looked = useRef('');
  useEffect(() => {
    if (given === '' || looked.current === given) return;
    looked.current = given;
    mutate(given);
  }, [given, mutate]);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    find.mutate(code);
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t('kiosk.add')}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      size={560}
    >
      {find.data ? (
        <>
          <Who pending={find.data} />
          <ScreenForm
            kiosk={undefined}
            submit={approve.mutate}
            busy={approve.isPending}
            label={t('kiosk.approve')}
            fault={<FormFault what={t('kiosk.failed')} error={approve.error} />}
            close={close}
          />
        </>
      ) : (
        <form className={form.form} onSubmit={submit}>
          <TextInput
            label={t('kiosk.code')}
            description={t('kiosk.codeHint')}
            value={code}
            onChange={(e) => setCode(e.currentTarget.value.toUpperCase())}
            error={find.error instanceof Problem && find.error.status === 404 ? t('kiosk.noCode') : undefined}
            classNames={{ input: styles.code }}
            autoComplete="off"
            spellCheck={false}
            maxLength={8}
            required
            data-autofocus
          />
          {!(find.error instanceof Problem && find.error.status === 404) && (
            <FormFault what={t('kiosk.failed')} error={find.error} />
          )}
          <div className={form.actions}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            <Button type="submit" loading={find.isPending}>
              {t('kiosk.find')}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}

function Who({ pending }: { pending: Pending }) {
  const t = useT();
  return (
    <div className={styles.who}>
      <dl className={styles.facts}>
        <dt>{t('kiosk.code')}</dt>
        <dd className="mono">{pending.code}</dd>
        <dt>{t('kiosk.from')}</dt>
        <dd className="mono">{pending.remoteAddr}</dd>
        <dt>{t('kiosk.agent')}</dt>
        <dd title={pending.userAgent}>{agentWords(pending.userAgent)}</dd>
        <dt>{t('kiosk.asked')}</dt>
        <dd>
          <Age at={pending.requestedAt} />
        </dd>
      </dl>
      <p className="meta">{t('kiosk.check')}</p>
    </div>
  );
}

export function ChangeScreen({ kiosk, close }: { kiosk: Kiosk; close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (body: Chosen) => ok(api.PATCH('/kiosks/{id}', { params: { path: { id: kiosk.id } }, body })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: kiosksQuery().queryKey });
      close();
    },
  });
  return (
    <Modal
      opened
      onClose={close}
      title={t('kiosk.changeOf', { name: kiosk.name })}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      size={560}
    >
      <ScreenForm
        kiosk={kiosk}
        submit={change.mutate}
        busy={change.isPending}
        label={t('kiosk.save')}
        fault={<FormFault what={t('kiosk.saveFailed')} error={change.error} />}
        close={close}
      />
    </Modal>
  );
}

function ScreenForm({
  kiosk,
  submit,
  busy,
  label,
  fault,
  close,
}: {
  kiosk: Kiosk | undefined;
  submit: (c: Chosen) => void;
  busy: boolean;
  label: string;
  fault: React.ReactNode;
  close: () => void;
}) {
  const t = useT();
  const known = useSites();
  const [name, setName] = useState(kiosk?.name ?? '');
  const [sites, setSites] = useState(kiosk?.sites.filter((s) => s !== '*') ?? []);
  const [views, setViews] = useState(kiosk?.views.join('\n') ?? '');
  const [rotate, setRotate] = useState<number | string>(kiosk?.rotateSeconds ?? ROTATE.usual);
  const [video, setVideo] = useState(kiosk?.video ?? false);
  const lines = views
    .split('\n')
    .map((v) => v.trim())
    .filter(Boolean);
  const bad = lines.some((v) => !isOwnPath(v));
  const { data: saved } = useQuery(savedViewsQuery());
  const more = (saved ?? []).filter((v) => !lines.includes(v.path));
  return (
    <form
      className={form.form}
      onSubmit={(e) => {
        e.preventDefault();
        if (!bad) {
          submit({
            name,
            sites: sites.length > 0 ? sites : ['*'],
            views: lines,
            rotateSeconds: Number(rotate) || ROTATE.usual,
            video,
          });
        }
      }}
    >
      <TextInput
        label={t('kiosk.name')}
        description={t('kiosk.nameHint')}
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        required
        maxLength={64}
        data-autofocus
        autoComplete="off"
      />
      <MultiSelect
        label={t('kiosk.sites')}
        placeholder={sites.length === 0 ? t('kiosk.allSites') : undefined}
        data={[...known.values()].map((s) => ({ value: s.id, label: s.name || s.id }))}
        value={sites}
        onChange={setSites}
        searchable
        clearable
        clearButtonProps={{ 'aria-label': t('filter.clear') }}
      />
      <Textarea
        label={t('kiosk.views')}
        description={t('kiosk.viewsHint')}
        value={views}
        onChange={(e) => setViews(e.currentTarget.value)}
        error={bad ? t('kiosk.viewsBad') : undefined}
        autosize
        minRows={2}
        maxRows={8}
        spellCheck={false}
        classNames={{ input: 'mono' }}
      />
      {more.length > 0 && (
        <fieldset className={styles.saved}>
          <legend>{t('kiosk.saved')}</legend>
          {more.map((v) => (
            <Button
              key={v.id}
              size="compact-sm"
              variant="default"
              leftSection={<Icon name="plus" size={12} />}
              onClick={() => setViews([...lines, v.path].join('\n'))}
            >
              {v.name}
            </Button>
          ))}
        </fieldset>
      )}
      <NumberInput
        label={t('kiosk.rotate')}
        value={rotate}
        onChange={setRotate}
        min={ROTATE.least}
        max={ROTATE.most}
        allowDecimal={false}
        w={160}
      />
      <Switch
        label={t('kiosk.video')}
        description={t('kiosk.videoHint')}
        checked={video}
        onChange={(e) => setVideo(e.currentTarget.checked)}
      />
      {fault}
      <div className={form.actions}>
        <Button variant="default" onClick={close}>
          {t('action.cancel')}
        </Button>
        <Button type="submit" loading={busy} disabled={name.trim() === ''}>
          {label}
        </Button>
      </div>
    </form>
  );
}
