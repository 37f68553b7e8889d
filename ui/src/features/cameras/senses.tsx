// Who watches a camera, how well, and what to do where that is not well.
import { Button, Modal } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api, ok } from '../../api/client';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { Age } from '../../ui/figures';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import styles from './find.module.css';
import type { CameraSetup } from './queries';
import own from './senses.module.css';
import { CameraState, rateText } from './state';

type Senses = NonNullable<CameraSetup['senses']>;

/** Whether something about how it is watched asks for a hand. */
export const needsHand = (s: Senses | undefined): boolean =>
  s !== undefined &&
  (s.motion.state === 'slow' ||
    s.motion.state === 'noDecoder' ||
    ['unauthorized', 'failing'].includes(s.device.state) ||
    Math.abs(s.device.clockOffsetSeconds) >= CLOCK_OFF ||
    s.labels.verifier?.state === 'failing');

/** How far a camera's clock may be off, in seconds. */
const CLOCK_OFF = 5;
const SEEN = [
  'motion',
  'person',
  'vehicle',
  'animal',
  'plate',
  'lineCrossing',
  'covered',
  'defocused',
  'turned',
  'blinded',
  'frozen',
  'tamper',
];

export function SensesDialog({ of: c, close }: { of: CameraSetup; close: () => void }) {
  const t = useT();
  const tag = useTag();
  const n = (v: number, digits = 1) =>
    new Intl.NumberFormat(tag, { maximumFractionDigits: digits }).format(v);
  const s = c.senses;
  const seen = (what: string) => (SEEN.includes(what) ? t(`cameras.seen.${what}` as MessageKey) : what);
  return (
    <Modal
      opened
      onClose={close}
      title={t('cameras.watch.title', { name: c.label || c.id })}
      size={640}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className={styles.find}>
        <Part title={t('cameras.picture')}>
          <CameraState state={c.state} since={c.stateSince} reason={c.reason} />
          {c.state === 'tampered' && VIEWS.includes(c.reason ?? '') && <RightView of={c} />}
          {(['main', 'sub'] as const).map((name) => {
            const x = c[name];
            return (
              x && (
                <p key={name} className="num">
                  {t(`cameras.stream.${name}`)}: {x.codec === 'h265' ? 'H.265' : 'H.264'} {x.width}×{x.height}
                  {x.fps > 0 && ` · ${rateText(t, tag, x)}`}
                  {x.keyEverySeconds > 0 && ` · ${t('cameras.keyEvery', { s: n(x.keyEverySeconds) })}`}
                </p>
              )
            );
          })}
        </Part>
        {s && (
          <>
            <Part
              title={t('cameras.watch.motion')}
              weak={s.motion.state === 'slow' || s.motion.state === 'noDecoder'}
            >
              <p>
                {t(`cameras.watch.motion.${s.motion.state}` as MessageKey, {
                  s: n(s.motion.keyEverySeconds),
                })}
              </p>
              {s.motion.subStream && <p className="meta">{t('cameras.watch.subStream')}</p>}
              {s.motion.lookedAt && (
                <p className="meta">
                  {t('cameras.watch.lookedAt')} <Age at={s.motion.lookedAt} />
                </p>
              )}
            </Part>
            <Part
              title={t('cameras.watch.device')}
              weak={
                ['unauthorized', 'failing'].includes(s.device.state) ||
                Math.abs(s.device.clockOffsetSeconds) >= CLOCK_OFF
              }
            >
              <p>{t(`cameras.watch.device.${s.device.state}` as MessageKey)}</p>
              {s.device.detail && s.device.state !== 'listening' && <p className="meta">{s.device.detail}</p>}
              {Math.abs(s.device.clockOffsetSeconds) >= CLOCK_OFF && (
                <p>
                  {t(
                    s.device.clockOffsetSeconds > 0
                      ? 'cameras.watch.clockAhead'
                      : 'cameras.watch.clockBehind',
                    {
                      s: n(Math.abs(s.device.clockOffsetSeconds), 0),
                    },
                  )}
                </p>
              )}
              {s.device.eventAt && (
                <p className="meta">
                  {t('cameras.watch.event', { what: seen(s.device.event) })} <Age at={s.device.eventAt} />
                </p>
              )}
              {s.device.heardAt && (
                <p className="meta">
                  {t('cameras.watch.heard')} <Age at={s.device.heardAt} />
                </p>
              )}
            </Part>
            <Part title={t('cameras.watch.labels')} weak={s.labels.verifier?.state === 'failing'}>
              {s.labels.lastAt ? (
                <p>
                  {t('cameras.watch.labelLast', {
                    source: t(`cameras.labelBy.${s.labels.source}` as MessageKey),
                  })}{' '}
                  <Age at={s.labels.lastAt} />
                </p>
              ) : (
                <p>{t('cameras.watch.labelNone')}</p>
              )}
              {s.labels.dropped > 0 && (
                <p className="meta">{t('cameras.watch.labelDropped', { n: s.labels.dropped })}</p>
              )}
              {!s.labels.verifier && <p className="meta">{t('cameras.watch.verifierNone')}</p>}
              {s.labels.verifier && (
                <>
                  <p>
                    {t(`cameras.watch.verifier.${s.labels.verifier.state}` as MessageKey)}
                    {s.labels.verifier.state === 'failing' &&
                      s.labels.verifier.reason &&
                      ` ${t(`cameras.watch.verifierWhy.${s.labels.verifier.reason}` as MessageKey)}`}
                  </p>
                  {s.labels.verifier.answeredAt && (
                    <p className="meta">
                      {t('cameras.watch.verifierTook', {
                        engine: s.labels.verifier.engine || '–',
                        ms: n(s.labels.verifier.tookMillis, 0),
                      })}{' '}
                      <Age at={s.labels.verifier.answeredAt} />
                    </p>
                  )}
                </>
              )}
            </Part>
          </>
        )}
      </div>
    </Modal>
  );
}

/** Ways of tampering that a camera which was moved on purpose seems to show. */
const VIEWS = ['turned', 'defocused', 'covered'];

/** Takes what the camera shows now for what it is to show. */
function RightView({ of: c }: { of: CameraSetup }) {
  const t = useT();
  const may = useAllowed('cameras.write');
  const take = useMutation({
    mutationFn: () => ok(api.POST('/cameras/{camera}/view', { params: { path: { camera: c.id } } })),
  });
  if (!may) return null;
  return (
    <div>
      <p className="meta">{t('cameras.view.hint')}</p>
      <Button
        size="compact-sm"
        variant="default"
        mt={6}
        loading={take.isPending}
        disabled={take.isSuccess}
        onClick={() => take.mutate()}
      >
        {t('cameras.view.right')}
      </Button>
      <p role="status">
        {take.isSuccess && t('cameras.view.taken')}
        {take.isError && t('cameras.view.notTaken')}
      </p>
    </div>
  );
}

function Part({ title, weak = false, children }: { title: string; weak?: boolean; children: ReactNode }) {
  return (
    <section className={own.part} data-weak={weak || undefined}>
      <h3 className={own.title}>
        {weak && <Icon name="warn" size={14} />}
        {title}
      </h3>
      {children}
    </section>
  );
}
