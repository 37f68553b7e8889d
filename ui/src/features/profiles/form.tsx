import {
  ActionIcon,
  Autocomplete,
  Button,
  Checkbox,
  MultiSelect,
  Radio,
  Switch,
  TextInput,
} from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { useSites } from '../../ui/sites';
import { FormDialog, faultAt } from '../settings/dialog';
import { Preview } from './preview';
import { knownQuery, meaning, type Profile, type Wish } from './profile';
import styles from './profiles.module.css';

const RESTARTS = ['idle', 'night', 'never'] as const;
const PROTOCOLS = ['ocpp1.6', 'ocpp2.0.1', 'ocpp2.1'] as const;

type Row = Wish & { row: number };

/** Which stations a profile is for and how they are to be set; of the one that comes along only what is done by itself. */
export function ProfileForm({
  of,
  copy,
  close,
  changed,
}: {
  of: Profile | undefined;
  copy: boolean;
  close: () => void;
  changed: () => unknown;
}) {
  const t = useT();
  const known = useQuery(knownQuery()).data;
  const sites = useSites();
  const fixed = of?.builtIn === true && !copy;
  const [name, setName] = useState(of ? (copy ? t('profiles.copyOf', { name: of.name }) : of.name) : '');
  const [where, setWhere] = useState<string[]>(of?.sites ?? []);
  const [vendor, setVendor] = useState(of?.vendor ?? '');
  const [model, setModel] = useState(of?.model ?? '');
  const [protocols, setProtocols] = useState<string[]>(of?.protocols ?? []);
  const [mend, setMend] = useState(of?.mend ?? false);
  const [restart, setRestart] = useState<Profile['restart']>(of?.restart ?? 'idle');
  const [rows, setRows] = useState<Row[]>(
    (of?.settings ?? [{ name: '', value: '' }]).map((s, row) => ({ ...s, row })),
  );
  const change = (row: number, to: Partial<Wish>) =>
    setRows((all) => all.map((r) => (r.row === row ? { ...r, ...to } : r)));
  const body = {
    name: name.trim(),
    sites: where,
    vendor: vendor.trim(),
    model: model.trim(),
    protocols: PROTOCOLS.filter((p) => protocols.includes(p)),
    mend,
    restart,
    settings: rows.map((r) => ({
      name: r.name.trim(),
      value: r.value ?? '',
      ...(r.valueDc ? { valueDc: r.valueDc } : {}),
      ...(r.valueOcpp16 !== undefined ? { valueOcpp16: r.valueOcpp16 } : {}),
      ...(r.leave ? { leave: true } : {}),
    })),
  };
  const complete = rows.length > 0 && rows.every((r) => r.name.trim() !== '');
  const send = () =>
    of && !copy
      ? ok(
          api.PATCH('/configuration-profiles/{profile}', {
            params: { path: { profile: of.id } },
            body: fixed ? { mend, restart } : body,
          }),
        )
      : ok(api.POST('/configuration-profiles', { body }));
  return (
    <FormDialog
      title={of && !copy ? t('profiles.editTitle', { name: of.name }) : t('profiles.add')}
      close={close}
      send={send}
      sent={changed}
      action={of && !copy ? t('profiles.save') : t('profiles.add')}
      failed={t('profiles.notSaved')}
      ready={name.trim() !== '' && complete}
      wide
    >
      {(error) => (
        <>
          {!fixed && (
            <>
              <TextInput
                label={t('profiles.name')}
                value={name}
                onChange={(e) => setName(e.currentTarget.value)}
                error={faultAt(error, 'name')}
                required
                maxLength={100}
                data-autofocus
                autoComplete="off"
              />
              <MultiSelect
                label={t('profiles.sites')}
                description={t('profiles.sitesHint')}
                data={[...(sites?.values() ?? [])].map((s) => ({ value: s.id, label: s.name }))}
                value={where}
                onChange={setWhere}
                searchable
                clearable
              />
              <TextInput
                label={t('profiles.vendor')}
                description={t('profiles.anyHint')}
                value={vendor}
                onChange={(e) => setVendor(e.currentTarget.value)}
                error={faultAt(error, 'vendor')}
                maxLength={100}
                autoComplete="off"
              />
              <TextInput
                label={t('profiles.model')}
                description={t('profiles.anyHint')}
                value={model}
                onChange={(e) => setModel(e.currentTarget.value)}
                error={faultAt(error, 'model')}
                maxLength={100}
                autoComplete="off"
              />
              <MultiSelect
                label={t('profiles.protocols')}
                description={t('profiles.anyHint')}
                data={PROTOCOLS.map((p) => ({ value: p, label: p.replace('ocpp', 'OCPP ') }))}
                value={protocols}
                onChange={setProtocols}
                clearable
              />
              {rows.map((r, i) => (
                <div key={r.row} className={styles.row}>
                  <Autocomplete
                    label={t('profiles.setting')}
                    data={(known ?? []).map((k) => k.name)}
                    value={r.name}
                    onChange={(v) => change(r.row, { name: v })}
                    error={faultAt(error, `settings[${i}].name`)}
                    maxLength={152}
                    spellCheck={false}
                  />
                  <TextInput
                    label={t('profiles.value')}
                    value={r.leave ? '' : (r.value ?? '')}
                    placeholder={r.leave ? t('profiles.leave') : t('profiles.empty')}
                    disabled={r.leave === true}
                    onChange={(e) => change(r.row, { value: e.currentTarget.value })}
                    error={faultAt(error, `settings[${i}].value`)}
                    maxLength={500}
                    spellCheck={false}
                    autoComplete="off"
                  />
                  <TextInput
                    label={t('profiles.valueDc')}
                    value={r.leave ? '' : (r.valueDc ?? '')}
                    placeholder={t('profiles.sameValue')}
                    disabled={r.leave === true}
                    onChange={(e) => change(r.row, { valueDc: e.currentTarget.value || undefined })}
                    maxLength={500}
                    spellCheck={false}
                    autoComplete="off"
                  />
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={t('profiles.removeSetting', { name: r.name })}
                    onClick={() => setRows((all) => all.filter((x) => x.row !== r.row))}
                  >
                    <Icon name="trash" size={16} />
                  </ActionIcon>
                  {r.valueOcpp16 !== undefined && !r.leave && (
                    <TextInput
                      className={styles.of16!}
                      label={t('profiles.valueOcpp16')}
                      value={r.valueOcpp16}
                      placeholder={t('profiles.empty')}
                      onChange={(e) => change(r.row, { valueOcpp16: e.currentTarget.value })}
                      maxLength={500}
                      spellCheck={false}
                      autoComplete="off"
                      rightSection={
                        <ActionIcon
                          variant="subtle"
                          color="gray"
                          aria-label={t('profiles.removeOcpp16', { name: r.name })}
                          onClick={() => change(r.row, { valueOcpp16: undefined })}
                        >
                          <Icon name="close" size={14} />
                        </ActionIcon>
                      }
                    />
                  )}
                  <div className={styles.rowFoot}>
                    <span className="meta">{meaning(t, r.name, known)}</span>
                    <Checkbox
                      size="xs"
                      label={t('profiles.leaveIt')}
                      checked={r.leave === true}
                      onChange={(e) => change(r.row, { leave: e.currentTarget.checked || undefined })}
                    />
                  </div>
                </div>
              ))}
              <p className={styles.means}>{t('profiles.settingHint')}</p>
              <Button
                variant="default"
                leftSection={<Icon name="plus" size={14} />}
                onClick={() =>
                  setRows((all) => [
                    ...all,
                    { row: 1 + Math.max(-1, ...all.map((r) => r.row)), name: '', value: '' },
                  ])
                }
              >
                {t('profiles.addSetting')}
              </Button>
            </>
          )}
          <Radio.Group
            label={t('profiles.restart')}
            value={restart}
            onChange={(v) => setRestart(RESTARTS.find((r) => r === v) ?? 'idle')}
          >
            <div className={form.options}>
              {RESTARTS.map((r) => (
                <Radio key={r} value={r} label={t(`profiles.restart.${r}`)} />
              ))}
            </div>
          </Radio.Group>
          <Switch
            label={t('profiles.mend')}
            description={t('profiles.mendHint')}
            checked={mend}
            onChange={(e) => setMend(e.currentTarget.checked)}
          />
          {!fixed && complete && <Preview of={{ ...body, ...(of && !copy && { profile: of.id }) }} />}
        </>
      )}
    </FormDialog>
  );
}
