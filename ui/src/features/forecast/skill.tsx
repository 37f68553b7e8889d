// How good forecasts of this site have been, said before the table says it.
import { useT, useTag } from '../../i18n/i18n';
import { ChartPanel } from '../../ui/chart';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import styles from './forecast.module.css';
import type { Answer, Skill } from './queries';
import type { Target } from './search';
import { percent, plain, SCALE } from './units';

export function SkillPanel({ answer }: { answer: Answer }) {
  const t = useT();
  const tag = useTag();
  const target = answer.target as Target;
  const unit = t(`forecast.unit.${target}`);
  const scale = SCALE[target];
  const error = (v: number | null | undefined) => (typeof v === 'number' ? plain(tag, v * scale) : '–');
  const ahead = (h: number) =>
    h < 24 ? t('forecast.ahead.hours', { n: h }) : t('forecast.ahead.days', { n: Math.round(h / 24) });
  const closer = (v: number | null | undefined): string => {
    if (typeof v !== 'number') return '–';
    const p = percent(tag, Math.abs(v));
    return Math.round(Math.abs(v) * 100) === 0
      ? t('forecast.skill.same')
      : v > 0
        ? t('forecast.skill.closer', { p })
        : t('forecast.skill.further', { p });
  };
  const models = (s: Skill): string =>
    s.models
      .slice(0, 3)
      .map((m) =>
        t('forecast.model.share', { p: percent(tag, m.share), model: t(`forecast.model.${m.model}`) }),
      )
      .join(', ');
  const day = answer.skill.find((s) => s.aheadHours === 24);
  const parts = day && [
    t('forecast.skill.error', { v: `${error(day.meanError)} ${unit}` }),
    typeof day.closerThanLastWeek === 'number' && day.closerThanLastWeek > 0
      ? t('forecast.skill.week', { p: percent(tag, day.closerThanLastWeek) })
      : t('forecast.skill.notWeek'),
    typeof day.covered === 'number' ? t('forecast.skill.band', { p: percent(tag, day.covered) }) : '',
  ];
  return (
    <ChartPanel
      title={t('forecast.skill')}
      note={t('forecast.skill.note')}
      twin={{
        file: `forecast-skill-${target}`,
        rows: answer.skill,
        columns: [
          {
            name: t('forecast.skill.ahead'),
            csv: 'ahead_hours',
            value: (s) => s.aheadHours,
            show: (s) => ahead(s.aheadHours),
            words: true,
          },
          { name: t('forecast.skill.hours'), csv: 'hours_judged', value: (s) => s.hours },
          {
            name: t('forecast.skill.mean', { unit }),
            csv: `mean_error_${unit}`,
            value: (s) => s.meanError * scale,
            show: (s) => error(s.meanError),
          },
          {
            name: t('forecast.skill.ofLast'),
            csv: `last_value_error_${unit}`,
            value: (s) => num(s.lastValueError, scale),
            show: (s) => error(s.lastValueError),
          },
          {
            name: t('forecast.skill.ofWeek'),
            csv: `last_week_error_${unit}`,
            value: (s) => num(s.lastWeekError, scale),
            show: (s) => error(s.lastWeekError),
          },
          {
            name: t('forecast.skill.ofUsual'),
            csv: `hour_of_week_error_${unit}`,
            value: (s) => num(s.hourOfWeekError, scale),
            show: (s) => error(s.hourOfWeekError),
          },
          {
            name: t('forecast.skill.covered'),
            csv: 'covered',
            value: (s) => s.covered,
            show: (s) => (typeof s.covered === 'number' ? percent(tag, s.covered) : '–'),
          },
          {
            name: t('forecast.skill.models'),
            csv: 'models',
            value: (s) => s.models.map((m) => `${m.model} ${m.share.toFixed(2)}`).join('; '),
            show: models,
            words: true,
          },
        ],
      }}
    >
      {parts && <p className={styles.lead}>{parts.filter(Boolean).join(' ')}</p>}
      <TableFrame label={t('forecast.skill')}>
        <thead>
          <tr>
            <th scope="col">{t('forecast.skill.ahead')}</th>
            <th scope="col" className={table.end}>
              {t('forecast.skill.mean', { unit })}
            </th>
            <th scope="col">{t('forecast.skill.thanLast')}</th>
            <th scope="col">{t('forecast.skill.thanWeek')}</th>
            <th scope="col">{t('forecast.skill.thanUsual')}</th>
            <th scope="col" className={table.end}>
              {t('forecast.skill.covered')}
            </th>
          </tr>
        </thead>
        <tbody>
          {answer.skill.map((s) => (
            <tr key={s.aheadHours}>
              <th scope="row">{ahead(s.aheadHours)}</th>
              <td className={`${table.end} num`}>{error(s.meanError)}</td>
              <td>{closer(s.closerThanLast)}</td>
              <td>{closer(s.closerThanLastWeek)}</td>
              <td>{closer(s.closerThanHourOfWeek)}</td>
              <td className={`${table.end} num`}>
                {typeof s.covered === 'number' ? percent(tag, s.covered) : '–'}
              </td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
      <p className="meta">
        {t('forecast.made', { n: answer.weeks })}
        {answer.hoursUnobserved > 0 && ` ${t('forecast.gaps', { n: answer.hoursUnobserved })}`}
        {day && ` ${t('forecast.mostly', { models: models(day) })}`}
      </p>
    </ChartPanel>
  );
}

const num = (v: number | null, scale: number): number | null => (v === null ? null : v * scale);
