import { ActionIcon, Button, Menu, Modal, Switch, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { api, ok } from '../../api/client';
import { savedViewsQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { useToast } from '../../ui/toast';
import styles from './page.module.css';

/** The page as it is shown, without what belongs to the reader or the screen. */
export function viewPath(href: string): string {
  const url = new URL(href, 'http://x');
  for (const own of ['zone', 'kiosk', 'range']) url.searchParams.delete(own);
  const query = url.searchParams.toString();
  return query ? `${url.pathname}?${query}` : url.pathname;
}

/** Filters, order and columns under a name: one's own and those others share. */
export function Views() {
  const t = useT();
  const router = useRouter();
  const queries = useQueryClient();
  const toast = useToast();
  const { data } = useQuery(savedViewsQuery());
  const [saving, setSaving] = useState(false);
  const views = (data ?? []).filter((v) => v.path.split('?')[0] === '/stations');
  const refresh = () => queries.invalidateQueries({ queryKey: savedViewsQuery().queryKey });
  const save = (v: { name: string; path: string; shared: boolean }) => ok(api.POST('/views', { body: v }));
  const forget = useMutation({
    mutationFn: (v: { id: string; name: string; path: string; shared: boolean }) =>
      ok(api.DELETE('/views/{id}', { params: { path: { id: v.id } } })),
    onSuccess: async (_, v) => {
      await refresh();
      toast({
        text: t('views.gone', { name: v.name }),
        undo: () => void save({ name: v.name, path: v.path, shared: v.shared }).then(refresh),
      });
    },
    onError: () => toast({ text: t('views.notGone'), tone: 'bad' }),
  });
  return (
    <>
      <Menu position="bottom-end" width={280}>
        <Menu.Target>
          <Button variant="default" leftSection={<Icon name="filter" size={16} />}>
            {t('views.title')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {views.length === 0 && <Menu.Label>{t('views.none')}</Menu.Label>}
          {views.map((v) => (
            <Menu.Item
              key={v.id}
              component="a"
              href={v.path}
              onClick={(e: React.MouseEvent) => {
                e.preventDefault();
                router.history.push(v.path);
              }}
              rightSection={v.shared ? <Icon name="team" size={14} /> : null}
            >
              {v.name}
              {v.shared && <span className="srOnly"> {t('views.shared')}</span>}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item leftSection={<Icon name="plus" size={14} />} onClick={() => setSaving(true)}>
            {t('views.save')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {saving && (
        <SaveView
          close={() => setSaving(false)}
          save={save}
          saved={refresh}
          mine={views.filter((v) => v.mine)}
          forget={(v) => forget.mutate(v)}
        />
      )}
    </>
  );
}

type View = { id: string; name: string; path: string; shared: boolean };

function SaveView({
  close,
  save,
  saved,
  mine,
  forget,
}: {
  close: () => void;
  save: (v: { name: string; path: string; shared: boolean }) => Promise<unknown>;
  saved: () => Promise<void>;
  mine: View[];
  forget: (v: View) => void;
}) {
  const t = useT();
  const toast = useToast();
  const [name, setName] = useState('');
  const [shared, setShared] = useState(false);
  const path = viewPath(location.pathname + location.search);
  const keep = useMutation({
    mutationFn: () => save({ name: name.trim(), path, shared }),
    onSuccess: async () => {
      await saved();
      toast({ text: t('views.saved', { name: name.trim() }), tone: 'good' });
      close();
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    keep.mutate();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t('views.save')}
      size={480}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <form className={form.form} onSubmit={submit}>
        <TextInput
          label={t('views.name')}
          description={t('views.nameHint')}
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
          maxLength={64}
          required
          data-autofocus
          autoComplete="off"
        />
        <Switch
          label={t('views.share')}
          description={t('views.shareHint')}
          checked={shared}
          onChange={(e) => setShared(e.currentTarget.checked)}
        />
        <p className={`${styles.path} mono`}>{path}</p>
        <FormFault what={t('views.failed')} error={keep.error} />
        <div className={form.actions}>
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button type="submit" disabled={name.trim() === ''} loading={keep.isPending}>
            {t('views.keep')}
          </Button>
        </div>
      </form>
      {mine.length > 0 && (
        <section>
          <h3 className={form.label}>{t('views.mine')}</h3>
          <ul className={styles.mine}>
            {mine.map((v) => (
              <li key={v.id}>
                <span>{v.name}</span>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t('views.forget', { name: v.name })}
                  onClick={() => forget(v)}
                >
                  <Icon name="close" size={14} />
                </ActionIcon>
              </li>
            ))}
          </ul>
        </section>
      )}
    </Modal>
  );
}
