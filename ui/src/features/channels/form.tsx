import {
  Button,
  NumberInput,
  PasswordInput,
  Select,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { useLocale, useT } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { Failed, Skeleton } from '../../ui/panel';
import { FormDialog } from '../settings/dialog';
import styles from './channels.module.css';
import {
  complete,
  type Draft,
  draftOf,
  faultUnder,
  type SecretDraft,
  secretsOf,
  settingsOf,
  type Value,
} from './fields';
import { choiceName, fieldHint, fieldName, needsText, typeName } from './names';
import { type Channel, type ChannelType, type Field, typesQuery } from './queries';

/** Adds a channel, or changes one. Its fields are those the server names for its type. */
export function ChannelForm({
  of,
  close,
  changed,
}: {
  of?: Channel;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const { locale } = useLocale();
  const { data, error: missing, refetch } = useQuery(typesQuery());
  const [chosen, setChosen] = useState(of?.type ?? 'email');
  const [name, setName] = useState(of?.name ?? '');
  const [drafts, setDrafts] = useState<Record<string, Draft>>({});
  const [secrets, setSecrets] = useState<SecretDraft>({});
  const type = data?.items.find((x) => x.type === chosen) ?? data?.items[0];
  const draft = type ? (drafts[type.type] ?? draftOf(type, of?.settings ?? { language: locale })) : {};
  const set = (field: string, value: Value) =>
    type && setDrafts((d) => ({ ...d, [type.type]: { ...draft, [field]: value } }));
  const send = () => {
    const body = {
      name: name.trim(),
      settings: settingsOf(type!, draft),
      secrets: secretsOf(type!, secrets, of === undefined),
    };
    return of
      ? ok(api.PATCH('/channels/{id}', { params: { path: { id: of.id } }, body }))
      : ok(api.POST('/channels', { body: { ...body, type: type!.type, enabled: true } }));
  };
  const secretsSet = of?.secretsSet ?? [];
  return (
    <FormDialog
      title={of ? t('channels.editTitle', { name: of.name }) : t('channels.add')}
      close={close}
      send={send}
      sent={changed}
      action={of ? t('channels.save') : t('channels.add')}
      failed={of ? t('channels.notSaved') : t('channels.notAdded')}
      ready={type !== undefined && name.trim() !== '' && complete(type, draft, secrets, secretsSet)}
    >
      {(error) => {
        const problem = error instanceof Problem ? error : null;
        return (
          <>
            {!of && data && (
              <Select
                label={t('channels.type')}
                data={data.items.map((x) => ({ value: x.type, label: typeName(t, x.type) }))}
                value={type?.type ?? null}
                onChange={(v) => {
                  if (!v) return;
                  setChosen(v);
                  setSecrets({});
                }}
                allowDeselect={false}
                error={faultUnder(problem, 'type')}
              />
            )}
            <TextInput
              label={t('channels.name')}
              description={t('channels.nameHint')}
              value={name}
              onChange={(e) => setName(e.currentTarget.value)}
              error={faultUnder(problem, 'name')}
              required
              maxLength={100}
              autoComplete="off"
              data-autofocus
            />
            {missing && !data ? (
              <Failed what={t('channels.types')} error={missing} retry={() => void refetch()} />
            ) : !type ? (
              <Skeleton rows={3} />
            ) : (
              <>
                {type.needs && (
                  <p className={styles.note}>
                    <Icon name="globe" size={16} />
                    {needsText(t, type.needs)}
                  </p>
                )}
                {type.type === 'webPush' && data?.pushKey && (
                  <div>
                    <p className={form.label}>{t('channels.pushKey')}</p>
                    <CopyLine value={data.pushKey} what={t('channels.pushKey')} />
                    <p className="meta">{t('channels.pushKeyHint')}</p>
                  </div>
                )}
                {type.fields.map((f) => (
                  <Input
                    key={`${type.type}.${f.name}`}
                    type={type}
                    field={f}
                    value={draft[f.name] ?? ''}
                    change={(v) => set(f.name, v)}
                    secret={secrets[f.name]}
                    changeSecret={(v) =>
                      setSecrets(({ [f.name]: _, ...rest }) =>
                        v === undefined ? rest : { ...rest, [f.name]: v },
                      )
                    }
                    isSet={secretsSet.includes(f.name)}
                    fault={faultUnder(problem, `${f.secret ? 'secrets' : 'settings'}.${f.name}`)}
                  />
                ))}
              </>
            )}
          </>
        );
      }}
    </FormDialog>
  );
}

function Input({
  type,
  field: f,
  value,
  change,
  secret,
  changeSecret,
  isSet,
  fault,
}: {
  type: ChannelType;
  field: Field;
  value: Value;
  change: (v: Value) => void;
  secret: string | undefined;
  changeSecret: (v: string | undefined) => void;
  isSet: boolean;
  fault: string | undefined;
}) {
  const t = useT();
  const label = fieldName(t, f.name);
  const common = {
    label: f.required ? label : t('channels.optional', { label }),
    description: fieldHint(t, type.type, f),
    error: fault,
  };
  const text = typeof value === 'string' ? value : String(value);
  if (f.secret) {
    if (isSet && secret === undefined)
      return (
        <div>
          <p className={form.label}>{common.label}</p>
          <div className={styles.secret}>
            <span className="meta">
              <Icon name="key" size={14} />
              {t('channels.secretSet')}
            </span>
            <Button
              variant="default"
              aria-label={t('channels.secretReplaceOf', { label })}
              onClick={() => changeSecret('')}
            >
              {t('channels.secretReplace')}
            </Button>
          </div>
          {fault && (
            <p className={`meta ${styles.bad}`} role="alert">
              {fault}
            </p>
          )}
        </div>
      );
    return (
      <div>
        <PasswordInput
          {...common}
          {...(isSet && !f.required ? { description: t('channels.secretRemove') } : {})}
          value={secret ?? ''}
          onChange={(e) => changeSecret(e.currentTarget.value)}
          required={f.required}
          autoComplete="new-password"
          spellCheck={false}
          visibilityToggleButtonProps={{ 'aria-label': t('channels.secretShow') }}
        />
        {isSet && (
          <Button
            variant="subtle"
            color="gray"
            size="compact-xs"
            mt={4}
            onClick={() => changeSecret(undefined)}
          >
            {t('channels.secretKeep')}
          </Button>
        )}
      </div>
    );
  }
  switch (f.form) {
    case 'boolean':
      return (
        <Switch
          label={label}
          description={common.description}
          error={fault}
          checked={value === true}
          onChange={(e) => change(e.currentTarget.checked)}
        />
      );
    case 'choice':
      return (
        <Select
          {...common}
          label={label}
          data={f.choices.map((c) => ({ value: c, label: choiceName(t, f.name, c) }))}
          value={text || null}
          onChange={(v) => v && change(v)}
          allowDeselect={false}
        />
      );
    case 'number':
      return (
        <NumberInput
          {...common}
          value={typeof value === 'number' || typeof value === 'string' ? value : ''}
          onChange={change}
          required={f.required}
          min={1}
          allowDecimal={false}
          allowNegative={false}
        />
      );
    case 'list':
      return (
        <TagsInput
          {...common}
          description={common.description ?? t('channels.listHint')}
          value={Array.isArray(value) ? value : []}
          onChange={change}
          splitChars={[',', ';', ' ']}
          acceptValueOnBlur
          maxTags={50}
        />
      );
    case 'pem':
      return (
        <Textarea
          {...common}
          value={text}
          onChange={(e) => change(e.currentTarget.value)}
          required={f.required}
          autosize
          minRows={2}
          maxRows={6}
          spellCheck={false}
          classNames={{ input: 'mono' }}
        />
      );
    default:
      return (
        <TextInput
          {...common}
          value={text}
          onChange={(e) => change(e.currentTarget.value)}
          required={f.required}
          autoComplete="off"
          spellCheck={false}
          {...(f.form === 'url' ? { inputMode: 'url' as const } : {})}
        />
      );
  }
}
