import { Button } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { type MessageKey, useT, useTag } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import styles from './cameras.module.css';
import type { CameraSetup, Tried } from './queries';
import { rateText, reasonKey } from './state';

/** Reasons whose words alone do not say what to do. */
const DETAILED = new Set(['codec', 'protocol', 'noFrames', 'address', 'unreachable']);

type Names = 'main' | 'sub';

/** Looks at the addresses once, as the camera would be followed, and says what is there. */
export function TryCamera({
  of,
  urls,
  username,
  password,
  fingerprint,
  udp,
  trust,
}: {
  of: CameraSetup | undefined;
  urls: Record<Names, string>;
  username: string;
  password: string;
  fingerprint: string;
  udp: boolean;
  /** Takes the certificate that was found. */
  trust: (fingerprint: string) => void;
}) {
  const t = useT();
  const asked = JSON.stringify([urls, username, password, fingerprint, udp]);
  const look = useMutation({
    mutationFn: async () => {
      const found: [Names, Tried][] = [];
      for (const name of ['main', 'sub'] as const) {
        if (!urls[name]) continue;
        const answer = await ok(
          api.POST('/cameras/test', {
            body: {
              url: urls[name],
              username,
              udp,
              ...(password ? { password } : of ? { camera: of.id } : {}),
              ...(fingerprint ? { fingerprint } : {}),
            },
          }),
        );
        found.push([name, answer]);
      }
      return { asked, found };
    },
  });
  // What was found is of what was typed then.
  const current = look.data?.asked === asked;
  return (
    <div className={styles.try}>
      <Button
        variant="default"
        leftSection={<Icon name="pulse" size={14} />}
        onClick={() => look.mutate()}
        loading={look.isPending}
        disabled={urls.main === ''}
      >
        {t('cameras.try')}
      </Button>
      {!look.data && !look.error && <p className="meta">{t('cameras.tryHint')}</p>}
      {look.data && !current && !look.isPending && <p className="meta">{t('cameras.tryStale')}</p>}
      <FormFault what={t('cameras.tryFailed')} error={look.error} />
      <div role="status" className={styles.found}>
        {current &&
          look.data?.found.map(([name, r]) => (
            <Found key={name} name={name} tried={r} trust={trust} hasSub={urls.sub !== ''} />
          ))}
      </div>
    </div>
  );
}

function Found({
  name,
  tried,
  trust,
  hasSub,
}: {
  name: Names;
  tried: Tried;
  trust: (fingerprint: string) => void;
  hasSub: boolean;
}) {
  const t = useT();
  const tag = useTag();
  const n = (v: number) => new Intl.NumberFormat(tag, { maximumFractionDigits: 1 }).format(v);
  const title = t(`cameras.stream.${name}` as MessageKey);
  if (!tried.ok) {
    const why = reasonKey(tried.reason);
    return (
      <div className={styles.result} data-ok="false">
        <Icon name="warn" size={16} />
        <div>
          <p className={styles.verdict}>{t('cameras.tryNo', { stream: title })}</p>
          <p className="meta">{why ? t(why) : tried.reason}</p>
          {tried.detail && DETAILED.has(tried.reason) && <p className="meta">{tried.detail}</p>}
          {tried.fingerprint && (
            <>
              <p className={`mono ${styles.fingerprint}`}>{tried.fingerprint}</p>
              <Button size="compact-sm" variant="default" onClick={() => trust(tried.fingerprint)}>
                {t('cameras.trust')}
              </Button>
            </>
          )}
        </div>
      </div>
    );
  }
  const s = tried.stream;
  const notes: string[] = [];
  if (s?.codec === 'h265' && name === 'main' && !hasSub) notes.push(t('cameras.note.h265'));
  if (s && s.keyEverySeconds > 4) notes.push(t('cameras.note.keys', { s: n(s.keyEverySeconds) }));
  if (s && s.keyEverySeconds === 0) notes.push(t('cameras.note.noKeys'));
  if (tried.reordered) notes.push(t('cameras.note.reordered'));
  return (
    <div className={styles.result} data-ok="true">
      <Icon name="check" size={16} />
      <div>
        <p className={styles.verdict}>{t('cameras.tryYes', { stream: title })}</p>
        {s && (
          <p className="meta num">
            {s.codec === 'h265' ? 'H.265' : 'H.264'} · {s.width}×{s.height} · {rateText(t, tag, s)}
            {s.keyEverySeconds > 0 && ` · ${t('cameras.keyEvery', { s: n(s.keyEverySeconds) })}`}
          </p>
        )}
        {notes.map((x) => (
          <p key={x} className="meta">
            {x}
          </p>
        ))}
      </div>
      {tried.picture && <img src={tried.picture} alt={t('cameras.firstPicture', { stream: title })} />}
    </div>
  );
}
