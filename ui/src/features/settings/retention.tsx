import { useQuery } from '@tanstack/react-query';
import { storage, text } from '../../format/quantity';
import { DAY, HOUR, SECOND, span } from '../../format/time';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { Age, Figure } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { List } from './list';
import { type Kept, settingsQuery, storageQuery } from './queries';
import styles from './retention.module.css';
import frame from './settings.module.css';

const stages: Record<string, MessageKey> = {
  fine: 'disk.fine',
  'stop clips': 'disk.stopClips',
  'shorten curves': 'disk.shortenCurves',
  'free reserve': 'disk.freeReserve',
  'stop accepting': 'disk.stopAccepting',
};

/** What is kept, how it grows, and whether the disk will hold it. */
export default function Retention() {
  const t = useT();
  const tag = useTag();
  const { data, error, refetch } = useQuery(storageQuery());
  const mayConfigure = useAllowed('system.configure');
  const settings = useQuery({ ...settingsQuery(), enabled: mayConfigure }).data;
  const size = (n: number | null | undefined) => text(storage(tag, n));
  if (error && !data)
    return (
      <Panel title={t('settings.retention')}>
        <Failed what={t('settings.retention')} error={error} retry={() => void refetch()} />
      </Panel>
    );
  if (!data)
    return (
      <Panel title={t('settings.retention')}>
        <Skeleton rows={6} />
      </Panel>
    );
  const kept = data.classes.reduce((sum, c) => sum + c.bytes, 0);
  const { disk } = data;
  const others = Math.max(0, disk.totalBytes - disk.freeBytes - kept);
  const verdict = disk.fullAt ? 'full' : disk.videoShortAt ? 'video' : disk.known ? 'holds' : 'early';
  const dated = disk.fullAt ?? disk.videoShortAt;
  const days = (c: Kept): string => {
    if (c.class === 'other') return '–';
    if (c.keepSeconds === null) return t('kept.always');
    const d = (c.keepSeconds * SECOND) / DAY;
    return d >= 2 ? t('kept.days', { n: Math.round(d) }) : `${(c.keepSeconds * SECOND) / HOUR} h`;
  };
  const source = (c: Kept): string => {
    if (c.class === 'video') return t('settings.recording');
    if (!c.setting) return c.class === 'other' ? '–' : t('kept.fixed');
    const s = settings?.find((x) => x.key === c.setting);
    if (!s) return c.setting;
    return s.source === 'default' ? t('kept.default') : s.place;
  };
  const name = (c: Kept) => t(`kept.${c.class}` as MessageKey);
  return (
    <>
      <Panel title={t('disk.title')}>
        <div className={styles.disk}>
          <div>
            <p className={styles.verdict}>
              {(verdict === 'full' || verdict === 'video') && (
                <span className={verdict === 'full' ? frame.bad : frame.weak}>
                  <Icon name="warn" size={18} />
                </span>
              )}
              {verdict === 'holds' && <Icon name="check" size={18} />}
              {verdict === 'early' && <Icon name="clock" size={18} />}
              {t(`disk.${verdict}`, {
                at: dated
                  ? new Intl.DateTimeFormat(tag, { dateStyle: 'long' }).format(Date.parse(dated))
                  : '',
              })}
            </p>
            <p className={frame.lead}>{t(`disk.${verdict}Text`)}</p>
          </div>
          <div
            className={styles.bar}
            role="img"
            aria-label={`${t('disk.kept')}: ${size(kept)}, ${t('disk.others')}: ${size(others)}, ${t('disk.free')}: ${size(disk.freeBytes)}`}
          >
            <span className={styles.own} style={{ flexGrow: kept }} />
            <span className={styles.others} style={{ flexGrow: others }} />
            <span style={{ flexGrow: disk.freeBytes }} />
          </div>
          <dl className={styles.figures}>
            <div>
              <dt>
                <i className={styles.own} />
                {t('disk.kept')}
              </dt>
              <dd>
                <Figure q={storage(tag, kept)} />
              </dd>
            </div>
            <div>
              <dt>
                <i className={styles.others} />
                {t('disk.others')}
              </dt>
              <dd>
                <Figure q={storage(tag, others)} />
              </dd>
            </div>
            <div>
              <dt>
                <i />
                {t('disk.free')}
              </dt>
              <dd>
                <Figure q={storage(tag, disk.freeBytes)} />
              </dd>
            </div>
            <div>
              <dt>{t('disk.now')}</dt>
              <dd className={styles.stage}>
                {disk.stage !== 'fine' && (
                  <span className={frame.bad}>
                    <Icon name="warn" size={16} />
                  </span>
                )}
                {t(stages[disk.stage] ?? 'disk.fine')}
              </dd>
            </div>
          </dl>
        </div>
      </Panel>
      <List<Kept>
        title={t('kept.title')}
        rows={data.classes}
        keyOf={(c) => c.class}
        finds={(c) => `${name(c)} ${c.class} ${c.setting}`}
        file="storage"
        columns={[
          { head: t('kept.class'), cell: name, csv: (c) => c.class },
          { head: t('kept.size'), end: true, cell: (c) => size(c.bytes), csv: (c) => c.bytes },
          {
            head: t('kept.perDay'),
            end: true,
            cell: (c) =>
              c.class === 'other' ? (
                '–'
              ) : c.perDayBytes === null ? (
                <span className={frame.off}>{t('kept.unknown')}</span>
              ) : (
                <span
                  title={
                    c.measuredSeconds > 0
                      ? t('kept.over', { span: span(c.measuredSeconds * SECOND) })
                      : t('kept.byRate')
                  }
                >
                  {size(c.perDayBytes)}
                </span>
              ),
            csv: (c) => c.perDayBytes,
          },
          {
            head: t('kept.steady'),
            end: true,
            cell: (c) => (c.steadyBytes === null ? '–' : size(c.steadyBytes)),
            csv: (c) => c.steadyBytes,
          },
          {
            head: t('kept.keep'),
            end: true,
            cell: (c) => (
              <>
                {days(c)}
                {c.maxBytes !== null && (
                  <span className="meta">, {t('kept.most', { size: size(c.maxBytes) })}</span>
                )}
              </>
            ),
            csv: (c) => c.keepSeconds,
          },
          {
            head: t('kept.oldest'),
            cell: (c) => (c.oldestAt ? <Age at={c.oldestAt} /> : '–'),
            csv: (c) => c.oldestAt,
          },
          {
            head: t('kept.setBy'),
            cell: (c) => <span className="meta">{source(c)}</span>,
            csv: (c) => c.setting,
          },
        ]}
        empty={<Empty title={t('kept.title')} />}
      />
      <p className={frame.lead}>
        {t('kept.how')} <Measured at={data.at} />
      </p>
    </>
  );
}

function Measured({ at }: { at: string }) {
  const t = useT();
  const tag = useTag();
  return (
    <>
      {t('disk.measured', {
        age: new Intl.DateTimeFormat(tag, { timeStyle: 'short' }).format(Date.parse(at)),
      })}
    </>
  );
}
