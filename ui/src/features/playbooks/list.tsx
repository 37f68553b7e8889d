import { ActionIcon, Button, Menu } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT, useTag } from '../../i18n/i18n';
import { Icon, type IconName } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { useToast } from '../../ui/toast';
import { Effect, FormDialog } from '../settings/dialog';
import styles from './list.module.css';
import { type Playbook, playbooksQuery } from './queries';
import { docText, limitsText, nameText, stepText, whenText } from './words';

const route = getRouteApi('/inside/playbooks');

/** All playbooks: those that start by themselves, and those that wait for a person. */
export function PlaybookList() {
  const t = useT();
  const mayWrite = useAllowed('remedies.write');
  const navigate = route.useNavigate();
  const { data, error, refetch } = useQuery(playbooksQuery());
  const [removing, setRemoving] = useState<Playbook | null>(null);
  const add = mayWrite && (
    <Button
      leftSection={<Icon name="plus" size={14} />}
      onClick={() => void navigate({ search: (s) => ({ ...s, edit: 'new' }) })}
    >
      {t('playbooks.new')}
    </Button>
  );
  if (!data)
    return (
      <Panel flush>
        {error ? (
          <Failed what={t('playbooks.part')} error={error} retry={() => void refetch()} />
        ) : (
          <Skeleton rows={6} height={64} />
        )}
      </Panel>
    );
  const groups = [
    {
      title: t('playbooks.byThemselves'),
      none: t('playbooks.byThemselvesNone'),
      rows: data.filter((p) => p.enabled),
    },
    { title: t('playbooks.byHand'), none: t('playbooks.byHandNone'), rows: data.filter((p) => !p.enabled) },
  ];
  return (
    <div className={styles.groups}>
      {groups.map((g, i) => (
        <Panel key={g.title} title={g.title} aside={i === 0 ? add : undefined} flush>
          {g.rows.length === 0 ? (
            <Empty title={g.none} />
          ) : (
            g.rows.map((p) => <Row key={p.id} of={p} mayWrite={mayWrite} remove={() => setRemoving(p)} />)
          )}
        </Panel>
      ))}
      {removing && <Remove of={removing} close={() => setRemoving(null)} />}
    </div>
  );
}

/** Built-in or people's own, and whether it really acts. */
export function Marks({ of: p }: { of: Playbook }) {
  const t = useT();
  const marks: [IconName, string][] = [
    p.builtIn
      ? p.changed
        ? ['edit', t('playbooks.changed')]
        : ['list', t('playbooks.builtIn')]
      : ['user', t('playbooks.own')],
  ];
  if (p.dryRun) marks.push(['pause', t('playbooks.dry')]);
  return (
    <span className={styles.marks}>
      {marks.map(([icon, word]) => (
        <span key={word} className={styles.mark}>
          <Icon name={icon} size={12} />
          {word}
        </span>
      ))}
    </span>
  );
}

function Row({ of: p, mayWrite, remove }: { of: Playbook; mayWrite: boolean; remove: () => void }) {
  const t = useT();
  const tag = useTag();
  const siteName = useSiteNames();
  const navigate = route.useNavigate();
  const name = nameText(t, p);
  return (
    <article className={styles.row} aria-label={name}>
      <div className={styles.head}>
        <h3 className={styles.name}>{name}</h3>
        <Marks of={p} />
        <p className={styles.doc}>{docText(t, p)}</p>
      </div>
      <div>
        <h4 className={styles.what}>{t('playbooks.when')}</h4>
        <ul className={styles.lines}>
          {whenText(t, tag, p.when, siteName).map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </div>
      <div>
        <h4 className={styles.what}>{t('playbooks.does')}</h4>
        <ol className={styles.steps}>
          {p.steps.map((a, i) => (
            <li key={`${i} ${a.do}`}>{stepText(t, tag, a)}</li>
          ))}
        </ol>
      </div>
      <div>
        <h4 className={styles.what}>{t('playbooks.limits')}</h4>
        <ul className={`${styles.lines} ${styles.limits}`}>
          {limitsText(t, tag, p.limits).map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </div>
      <div className={styles.acts}>
        <Button
          size="compact-sm"
          variant="default"
          aria-label={t('playbooks.previewOf', { name })}
          onClick={() => void navigate({ search: (s) => ({ ...s, try: p.id }) })}
        >
          {t('playbooks.preview')}
        </Button>
        {mayWrite && <Acts of={p} remove={remove} />}
      </div>
    </article>
  );
}

function Acts({ of: p, remove }: { of: Playbook; remove: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const toast = useToast();
  const navigate = route.useNavigate();
  const name = nameText(t, p);
  const toggle = async () => {
    try {
      await ok(
        api.PATCH('/playbooks/{id}', { params: { path: { id: p.id } }, body: { enabled: !p.enabled } }),
      );
      toast({
        text: t(p.enabled ? 'playbooks.disabledDone' : 'playbooks.enabledDone', { name }),
        tone: 'good',
      });
    } catch {
      toast({ text: t('playbooks.changeFailed', { name }), tone: 'bad' });
    }
    await queries.invalidateQueries({ queryKey: ['playbooks'] });
  };
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={28} aria-label={t('playbooks.acts', { name })}>
          <Icon name="more" size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<Icon name="copy" size={16} />}
          onClick={() => void navigate({ search: (s) => ({ ...s, copy: p.id }) })}
        >
          {t('playbooks.copy')}
        </Menu.Item>
        <Menu.Item
          leftSection={<Icon name="edit" size={16} />}
          onClick={() => void navigate({ search: (s) => ({ ...s, edit: p.id }) })}
        >
          {t('playbooks.edit')}
        </Menu.Item>
        <Menu.Item
          leftSection={<Icon name={p.enabled ? 'pause' : 'play'} size={16} />}
          onClick={() => void toggle()}
        >
          {t(p.enabled ? 'playbooks.disable' : 'playbooks.enable')}
        </Menu.Item>
        {(!p.builtIn || p.changed) && (
          <Menu.Item
            className={styles.bad}
            leftSection={<Icon name={p.builtIn ? 'undo' : 'trash'} size={16} />}
            onClick={remove}
          >
            {t(p.builtIn ? 'playbooks.restore' : 'playbooks.delete')}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function Remove({ of: p, close }: { of: Playbook; close: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const toast = useToast();
  const name = nameText(t, p);
  return (
    <FormDialog
      title={t(p.builtIn ? 'playbooks.restoreTitle' : 'playbooks.deleteTitle', { name })}
      close={close}
      send={() => ok(api.DELETE('/playbooks/{id}', { params: { path: { id: p.id } } }))}
      sent={() => {
        toast({ text: t('playbooks.deleted', { name }), tone: 'good' });
        return queries.invalidateQueries({ queryKey: ['playbooks'] });
      }}
      action={t(p.builtIn ? 'playbooks.restore' : 'playbooks.delete')}
      failed={t('playbooks.deleteFailed')}
      grave
    >
      <Effect>{t(p.builtIn ? 'playbooks.restoreText' : 'playbooks.deleteText')}</Effect>
    </FormDialog>
  );
}
