// What lines of the activity say of verdicts, steps, classes and calls.
import type { IncidentLog } from '../../api/shapes';
import type { Translate } from '../../i18n/i18n';
import type { Locale } from '../../i18n/locale';
import type { Detail } from '../incidents/shape';
import { OUTCOMES as CALLED } from './calls';
import { wording } from './checklist';
import { CLASSES, FALSE_REASONS, roleOf } from './queries';

const VERDICTS = ['real', 'false', 'test'] as const;
const OUTCOMES = ['done', 'skipped', 'open'] as const;

/** The change in words that say what was chosen; undefined where another page knows better. */
export function responseText(t: Translate, l: IncidentLog, i: Detail, locale: Locale): string | undefined {
  switch (l.change) {
    case 'verdict': {
      const verdict = VERDICTS.find((v) => v === l.value);
      if (!verdict) return undefined;
      const why = FALSE_REASONS.find((r) => r === l.about);
      const judged = t('response.log.verdict', { verdict: t(`response.verdict.${verdict}`) });
      return why ? `${judged}, ${t(`response.false.${why}`)}` : judged;
    }
    case 'step': {
      const outcome = OUTCOMES.find((o) => o === l.value);
      const step = i.checklist?.steps.find((s) => s.id === l.about);
      const what = step ? wording(step.text, locale) : (l.about ?? '');
      return outcome && t(`response.log.step.${outcome}`, { what });
    }
    case 'classified': {
      const c = CLASSES.find((x) => x === l.value);
      return c && t('response.log.classified', { what: t(`response.class.${c}`) });
    }
    case 'called': {
      const outcome = CALLED.find((o) => o === l.value);
      if (!outcome) return undefined;
      // The journal keeps no name; one that is off the list is told by what they were.
      const who =
        i.calls.find((c) => c.id === l.contact)?.name ?? t(`response.role.${roleOf(l.about ?? '')}`);
      return t('response.log.called', { who, outcome: t(`response.call.${outcome}`) });
    }
    case 'closeAsked':
      return t('response.log.closeAsked');
  }
  return undefined;
}
