import { Button, MultiSelect, NumberInput, Select, Switch, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { useLocale, useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Panel } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { Help } from './help';
import { PastPanel } from './past';
import { type Fault, type Rule, type RuleBody, SEVERITIES, vocabularyQuery } from './queries';
import styles from './rules.module.css';

const blank: RuleBody = {
  name: '',
  enabled: true,
  on: ['status'],
  where: 'port.status == "Faulted"',
  by: 'port',
  severity: 'S3',
  title: '',
};

const draftOf = (r: Rule): RuleBody => ({
  name: r.name,
  enabled: r.enabled,
  on: r.on,
  where: r.where,
  forSeconds: r.forSeconds ?? 0,
  count: r.count ?? { n: 0, withinSeconds: 0 },
  by: r.by,
  clearWhen: r.clearWhen ?? '',
  clearAfterSeconds: r.clearAfterSeconds ?? 0,
  severity: r.severity,
  title: r.title,
  facts: r.facts ?? [],
  labels: r.labels ?? {},
  sites: r.sites ?? [],
  models: r.models ?? [],
});

/** Faults of a refusal, by field, with their place in an expression. */
const faultsOf = (error: unknown): Fault[] =>
  error instanceof Problem
    ? error.faults.map((f) => ({
        field: f.location.replace(/^body\.(rule\.)?/, ''),
        text: f.message,
        ...(f.value as { line?: number; column?: number } | undefined),
      }))
    : [];

export default function Editor({
  rule,
  close,
  saved,
}: {
  rule: Rule | null;
  close: () => void;
  saved: () => unknown;
}) {
  const t = useT();
  const { locale } = useLocale();
  const sites = useSites();
  const mayWrite = useAllowed('rules.write');
  const { data: words } = useQuery(vocabularyQuery());
  const [draft, setDraft] = useState<RuleBody>(() => (rule ? draftOf(rule) : blank));
  const [how, setHow] = useState<'once' | 'for' | 'count'>(
    rule?.count ? 'count' : rule?.forSeconds ? 'for' : 'once',
  );
  const [faults, setFaults] = useState<Fault[]>([]);
  const box = useRef<HTMLTextAreaElement>(null);
  const change = (part: RuleBody) => setDraft((d) => ({ ...d, ...part }));
  const body: RuleBody = {
    ...draft,
    forSeconds: how === 'for' ? draft.forSeconds || 60 : 0,
    count:
      how === 'count'
        ? { n: draft.count?.n || 3, withinSeconds: draft.count?.withinSeconds || 3600 }
        : { n: 0, withinSeconds: 0 },
  };
  const asked = JSON.stringify([body.where, body.clearWhen, body.on]);
  useEffect(() => {
    const [where, clearWhen, on] = JSON.parse(asked) as [string, string, string[]];
    const stop = new AbortController();
    const wait = setTimeout(() => {
      ok(
        api.POST('/rules/check', {
          body: { ...blank, name: '-', title: '-', where, clearWhen, on },
          signal: stop.signal,
        }),
      ).then(
        (r) => setFaults(r.faults),
        () => {},
      );
    }, 400);
    return () => {
      clearTimeout(wait);
      stop.abort();
    };
  }, [asked]);
  const save = useMutation({
    mutationFn: () =>
      rule
        ? ok(api.PATCH('/rules/{id}', { params: { path: { id: rule.id } }, body }))
        : ok(api.POST('/rules', { body })),
    onSuccess: async () => {
      await saved();
      close();
    },
  });
  const refused = faultsOf(save.error);
  const at = (field: string) => {
    const own = refused.find((f) => f.field === field && !f.line);
    return own ? own.text : undefined;
  };
  const jump = (f: Fault) => {
    const area = box.current;
    if (!area || !f.line) return;
    const lines = area.value.split('\n');
    const start = lines.slice(0, f.line - 1).reduce((n, l) => n + l.length + 1, 0) + (f.column ?? 1) - 1;
    area.focus();
    area.setSelectionRange(start, Math.min(start + 1, area.value.length));
  };
  const placed = (field: string) => faults.filter((f) => f.field === field && f.line);
  const insert = (text: string) => {
    const area = box.current;
    const from = area?.selectionStart ?? draft.where?.length ?? 0;
    const to = area?.selectionEnd ?? from;
    const now = draft.where ?? '';
    change({ where: now.slice(0, from) + text + now.slice(to) });
    requestAnimationFrame(() => {
      area?.focus();
      area?.setSelectionRange(from + text.length, from + text.length);
    });
  };
  return (
    <div className={styles.editor}>
      <Panel title={rule ? rule.name : t('rules.new')}>
        <form
          className={styles.form}
          onSubmit={(e) => {
            e.preventDefault();
            save.mutate();
          }}
        >
          {rule?.off && (
            <p className={styles.off} role="alert">
              <Icon name="warn" size={16} /> {t('rules.offBecause', { why: rule.off })}
            </p>
          )}
          <div className={styles.pair}>
            <TextInput
              label={t('rules.name')}
              required
              maxLength={80}
              value={draft.name ?? ''}
              error={at('name')}
              onChange={(e) => change({ name: e.currentTarget.value })}
            />
            <Select
              label={t('rules.severity')}
              allowDeselect={false}
              data={SEVERITIES.map((s) => ({ value: s, label: `${s} ${t(`rules.sev.${s}`)}` }))}
              value={draft.severity ?? 'S3'}
              onChange={(v) => v && change({ severity: v })}
            />
          </div>
          <MultiSelect
            label={t('rules.on')}
            description={t('rules.onText')}
            searchable
            value={draft.on ?? []}
            error={at('on')}
            data={(words?.kinds ?? []).map((k) => ({
              value: k.kind,
              label: `${k.kind}: ${k.words[locale]}`,
            }))}
            onChange={(on) => change({ on })}
          />
          <div>
            <Textarea
              ref={box}
              label={t('rules.where')}
              description={t('rules.whereText')}
              required
              autosize
              minRows={3}
              maxRows={14}
              spellCheck={false}
              classNames={{ input: styles.code }}
              maxLength={words?.limits.characters}
              value={draft.where ?? ''}
              aria-invalid={placed('where').length > 0}
              onChange={(e) => change({ where: e.currentTarget.value })}
            />
            <Faults list={placed('where')} jump={jump} fine={faults.every((f) => f.field !== 'where')} />
          </div>
          <div className={styles.pair}>
            <Select
              label={t('rules.how')}
              allowDeselect={false}
              data={(['once', 'for', 'count'] as const).map((v) => ({
                value: v,
                label: t(`rules.how.${v}`),
              }))}
              value={how}
              onChange={(v) => v && setHow(v as typeof how)}
            />
            <Select
              label={t('rules.by')}
              allowDeselect={false}
              data={(['port', 'station', 'site'] as const).map((v) => ({
                value: v,
                label: t(`rules.by.${v}`),
              }))}
              value={draft.by ?? 'port'}
              onChange={(v) => v && change({ by: v })}
            />
            {how === 'for' && (
              <NumberInput
                label={t('rules.forSeconds')}
                min={1}
                suffix=" s"
                value={body.forSeconds}
                error={at('forSeconds')}
                onChange={(v) => change({ forSeconds: Number(v) || 0 })}
              />
            )}
            {how === 'count' && (
              <>
                <NumberInput
                  label={t('rules.countN')}
                  min={2}
                  max={100}
                  value={body.count?.n}
                  error={at('count.n')}
                  onChange={(v) =>
                    change({ count: { n: Number(v) || 0, withinSeconds: body.count?.withinSeconds ?? 0 } })
                  }
                />
                <NumberInput
                  label={t('rules.countWithin')}
                  min={1}
                  suffix=" s"
                  value={body.count?.withinSeconds}
                  error={at('count.withinSeconds')}
                  onChange={(v) =>
                    change({ count: { n: body.count?.n ?? 0, withinSeconds: Number(v) || 0 } })
                  }
                />
              </>
            )}
          </div>
          <div>
            <Textarea
              label={t('rules.clearWhen')}
              description={t('rules.clearText')}
              autosize
              minRows={1}
              maxRows={6}
              spellCheck={false}
              classNames={{ input: styles.code }}
              value={draft.clearWhen ?? ''}
              onChange={(e) => change({ clearWhen: e.currentTarget.value })}
            />
            <Faults list={placed('clearWhen')} />
          </div>
          <div className={styles.pair}>
            <NumberInput
              label={t('rules.clearAfter')}
              description={t('rules.clearAfterText')}
              min={0}
              suffix=" s"
              value={draft.clearAfterSeconds ?? 0}
              error={at('clearAfterSeconds')}
              onChange={(v) => change({ clearAfterSeconds: Number(v) || 0 })}
            />
            <MultiSelect
              label={t('rules.sites')}
              description={t('rules.sitesText')}
              searchable
              data={[...sites.values()].map((s) => ({ value: s.id, label: s.name || s.id }))}
              value={draft.sites ?? []}
              onChange={(list) => change({ sites: list })}
            />
          </div>
          <TextInput
            label={t('rules.title')}
            description={t('rules.titleText')}
            required
            maxLength={160}
            value={draft.title ?? ''}
            error={at('title')}
            onChange={(e) => change({ title: e.currentTarget.value })}
          />
          <MultiSelect
            label={t('rules.facts')}
            searchable
            maxValues={words?.limits.facts}
            data={(words?.variables ?? []).flatMap((v) => v.fields.filter((f) => f.fact).map((f) => f.name))}
            value={draft.facts ?? []}
            onChange={(facts) => change({ facts })}
          />
          <Switch
            label={t('rules.enabled')}
            checked={draft.enabled ?? true}
            onChange={(e) => change({ enabled: e.currentTarget.checked })}
          />
          <FormFault what={t('rules.notSaved')} error={save.error} />
          <div className={form.actions}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            {mayWrite && (
              <Button type="submit" loading={save.isPending}>
                {t('rules.save')}
              </Button>
            )}
          </div>
        </form>
      </Panel>
      <div className={styles.side}>
        <PastPanel body={body} />
        <Help words={words} insert={insert} on={draft.on ?? []} />
      </div>
    </div>
  );
}

function Faults({ list, jump, fine }: { list: Fault[]; jump?: (f: Fault) => void; fine?: boolean }) {
  const t = useT();
  return (
    <ul className={styles.faults} aria-live="polite">
      {list.map((f) => (
        <li key={`${f.line}:${f.column}:${f.text}`}>
          <Icon name="warn" size={14} />
          <button type="button" className={styles.link} onClick={() => jump?.(f)}>
            {t('rules.at', { line: f.line ?? 0, column: f.column ?? 0 })}
          </button>
          <span>{f.text}</span>
        </li>
      ))}
      {fine && list.length === 0 && <li className="meta">{t('rules.fine')}</li>}
    </ul>
  );
}
