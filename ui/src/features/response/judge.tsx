import { Radio, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { IncidentAct } from '../../api/shapes';
import { useLocale, useT } from '../../i18n/i18n';
import { incidentQuery } from '../incidents/queries';
import { type Incident, rankOf } from '../incidents/shape';
import { useMe } from '../incidents/who';
import { whoText } from '../incidents/words';
import { wording } from './checklist';
import { CLASSES, FALSE_REASONS, type FalseReason } from './queries';
import styles from './response.module.css';

const VERDICTS = ['real', 'false', 'test'] as const;
type Verdict = (typeof VERDICTS)[number];

export type Judgement = {
  verdict: Verdict | '';
  falseReason: FalseReason | '';
  noEvidence: string;
  undone: string;
};

/** What was said before is proposed, except at the end: there somebody says it on purpose. */
export function judgementOf(i: Incident): Judgement {
  return {
    verdict: VERDICTS.find((v) => v === i.verdict) ?? '',
    falseReason: FALSE_REASONS.find((r) => r === i.falseReason) ?? '',
    noEvidence: i.noEvidence ?? '',
    undone: '',
  };
}

const MAJOR = 1;

/** What the end of an incident still lacks, as far as the page knows it. */
function useLacking(first: Incident, single: boolean, j: Judgement) {
  const { data } = useQuery({ ...incidentQuery(first.id), enabled: single });
  const packs = single ? (data?.evidencePacks ?? 0) : 0;
  const open = (data?.checklist?.steps ?? []).filter((s) => s.required && s.outcome === 'open');
  return {
    packs,
    evidence: j.verdict === 'real' && packs === 0,
    steps: single && rankOf(first.severity) <= MAJOR && j.verdict !== 'test' && !first.closeAsked ? open : [],
    unknown: !single && rankOf(first.severity) <= MAJOR && j.verdict !== 'test',
    second: data?.closedByTwo ?? false,
  };
}

/** Judges what people have to judge; at its end also what was kept of it and what was left out. */
export function Judge({
  list,
  closing,
  value,
  set,
}: {
  list: readonly Incident[];
  closing: boolean;
  value: Judgement;
  set: (j: Judgement) => void;
}) {
  const t = useT();
  const { locale } = useLocale();
  const me = useMe();
  const first = list[0]!;
  const lacking = useLacking(first, list.length === 1, value);
  const change = (part: Partial<Judgement>) => set({ ...value, ...part });
  return (
    <>
      {closing && first.closeAsked && (
        <p className={styles.asked}>
          {first.closeAsked.by === me
            ? t('response.waitsForSecond')
            : t('response.askedToClose', { who: whoText(t, first, first.closeAsked.by, me) })}
          {first.closeAsked.note && <q>{first.closeAsked.note}</q>}
        </p>
      )}
      <Radio.Group
        label={t('response.verdict')}
        value={value.verdict}
        onChange={(v) =>
          change({ verdict: v as Verdict, falseReason: v === 'false' ? value.falseReason : '' })
        }
        required={closing}
      >
        <div className={styles.choices}>
          {VERDICTS.map((v) => (
            <Radio key={v} value={v} label={t(`response.verdict.${v}`)} />
          ))}
        </div>
      </Radio.Group>
      {value.verdict === 'false' && (
        <Radio.Group
          label={t('response.whatItWas')}
          value={value.falseReason}
          onChange={(v) => change({ falseReason: v as FalseReason })}
          required
        >
          <div className={styles.choices}>
            {FALSE_REASONS.map((r) => (
              <Radio key={r} value={r} label={t(`response.false.${r}`)} />
            ))}
          </div>
        </Radio.Group>
      )}
      {closing && value.verdict === 'real' && lacking.packs > 0 && (
        <p className="meta">{t('response.packs', { n: lacking.packs })}</p>
      )}
      {closing && lacking.evidence && (
        <Textarea
          label={t('response.noEvidence')}
          description={t('response.noEvidenceText')}
          value={value.noEvidence}
          onChange={(e) => change({ noEvidence: e.currentTarget.value })}
          maxLength={400}
          required
          autosize
          minRows={1}
        />
      )}
      {closing && (lacking.steps.length > 0 || lacking.unknown) && (
        <Textarea
          label={t('response.undone', { n: lacking.steps.length })}
          description={lacking.steps.map((s) => wording(s.text, locale)).join(' ')}
          value={value.undone}
          onChange={(e) => change({ undone: e.currentTarget.value })}
          maxLength={400}
          required={!lacking.unknown}
          autosize
          minRows={1}
        />
      )}
      {closing && lacking.second && !first.closeAsked && <p className="meta">{t('response.needsSecond')}</p>}
    </>
  );
}

/** Whether enough is said; the server knows better and says so. */
export const complete = (j: Judgement): boolean =>
  j.verdict !== '' && (j.verdict !== 'false' || j.falseReason !== '');

export function bodyOf(j: Judgement, closing: boolean): IncidentAct {
  const body: IncidentAct = {};
  if (j.verdict) body.verdict = j.verdict;
  if (j.verdict === 'false' && j.falseReason) body.falseReason = j.falseReason;
  if (closing && j.verdict === 'real' && j.noEvidence.trim()) body.noEvidence = j.noEvidence.trim();
  if (closing && j.undone.trim()) body.undone = j.undone.trim();
  return body;
}

/** What an incident is about, which decides what has to be done. */
export function Classes({ value, set }: { value: string; set: (c: string) => void }) {
  const t = useT();
  return (
    <Radio.Group label={t('response.classify')} value={value} onChange={set}>
      <div className={styles.choices}>
        {CLASSES.map((c) => (
          <Radio key={c} value={c} label={t(`response.class.${c}`)} />
        ))}
      </div>
    </Radio.Group>
  );
}
