import { MultiSelect, Textarea, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, ok } from '../../api/client';
import { HOUR, MINUTE, span } from '../../format/time';
import { fromClock, toClock } from '../../format/zoned';
import { useT, useTag } from '../../i18n/i18n';
import { useLive } from '../../live/hooks';
import { useAllowed } from '../../ui/me';
import { useSiteNames, useSites } from '../../ui/sites';
import { useZone, ZoneNote, ZoneProvider } from '../../ui/zone';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import type { Camera } from '../video/camera';
import { useCameras, useRemoved } from '../video/feed';
import styles from './evidence.module.css';
import { EVIDENCE, type Pack } from './queries';
import type { EvidenceSearch } from './search';

const LONGEST = 24 * HOUR;
const MOST = 64;

type Props = { search: EvidenceSearch; close: () => void; made: (id: string) => void };

/** Asks for a new pack, of cameras and a stretch of time or of an incident. */
export function ExportDialog(props: Props) {
  const data = useFilmed();
  const sites = useSites();
  const first = props.search.cameras?.split(',')[0];
  const site = data?.find((c) => c.id === first)?.siteId ?? '';
  return (
    <ZoneProvider value={sites.get(site)?.timeZone || undefined}>
      <Form {...props} />
    </ZoneProvider>
  );
}

/** Cameras of which there may be recordings, also those that were removed. */
function useFilmed(): readonly Camera[] | undefined {
  const { data: here } = useCameras();
  const { data: removed } = useRemoved(useAllowed('video.review'));
  return useMemo(() => here && [...here, ...(removed ?? [])], [here, removed]);
}

function Form({ search, close, made }: Props) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const queries = useQueryClient();
  const names = useSiteNames();
  const { client } = useLive();
  const known = useFilmed();
  const [now] = useState(() => Math.floor((Date.now() + client.clockOffset) / 1000) * 1000);
  const [cameras, setCameras] = useState<string[]>(() => search.cameras?.split(',').filter(Boolean) ?? []);
  const [from, setFrom] = useState<number>(() => search.from ?? now - 15 * MINUTE);
  const [to, setTo] = useState<number>(() => search.to ?? now);
  const [reason, setReason] = useState('');
  const ofIncident = search.incident !== undefined && cameras.length === 0;
  const groups = useMemo(() => {
    const by = new Map<string, { value: string; label: string }[]>();
    for (const c of known ?? []) {
      const list = by.get(c.siteId) ?? [];
      const name = c.label || c.id;
      list.push({ value: c.id, label: c.removedAt ? t('evidence.removedCamera', { name }) : name });
      by.set(c.siteId, list);
    }
    return [...by].map(([site, items]) => ({ group: names(site) || t('evidence.noSite'), items }));
  }, [known, names, t]);
  const long = to - from;
  const wrong = !(long > 0)
    ? t('evidence.timeOrder')
    : long > LONGEST
      ? t('evidence.timeLong')
      : from > now
        ? t('evidence.timeAhead')
        : undefined;
  const ready = reason.trim().length >= 3 && (ofIncident || (cameras.length > 0 && !wrong));
  return (
    <FormDialog<Pack>
      title={t(ofIncident ? 'evidence.exportIncident' : 'evidence.make')}
      close={close}
      send={() =>
        ok(
          api.POST('/evidence', {
            body: {
              reason: reason.trim(),
              language: tag.startsWith('de') ? 'de' : 'en',
              ...(ofIncident
                ? { incident: search.incident }
                : { cameras, from: new Date(from).toISOString(), to: new Date(to).toISOString() }),
            },
          }),
        )
      }
      sent={async (pack) => {
        await queries.invalidateQueries({ queryKey: EVIDENCE });
        made(pack.id);
      }}
      action={t('evidence.make')}
      failed={t('evidence.notExported')}
      ready={ready}
      reauth
    >
      {(error) => (
        <>
          {ofIncident ? (
            <>
              <Effect>{t('evidence.ofIncident', { id: search.incident! })}</Effect>
              <Holds />
            </>
          ) : (
            <>
              <MultiSelect
                label={t('evidence.cameras')}
                placeholder={cameras.length === 0 ? t('evidence.camerasPick') : undefined}
                data={groups}
                value={cameras}
                onChange={setCameras}
                maxValues={MOST}
                searchable
                nothingFoundMessage={t('evidence.noCamera')}
                error={faultAt(error, 'cameras')}
                required
                data-autofocus
              />
              <div className={styles.pair}>
                <Moment
                  label={t('evidence.from')}
                  at={from}
                  set={setFrom}
                  zone={zone}
                  error={faultAt(error, 'from')}
                />
                <Moment
                  label={t('evidence.to')}
                  at={to}
                  set={setTo}
                  zone={zone}
                  error={wrong ?? faultAt(error, 'to')}
                />
              </div>
              <p className="meta">
                {!wrong && `${t('evidence.long', { length: span(long) })} · `}
                <ZoneNote />
              </p>
            </>
          )}
          <Textarea
            label={t('evidence.reason')}
            description={t('evidence.reasonHint')}
            value={reason}
            onChange={(e) => setReason(e.currentTarget.value)}
            error={faultAt(error, 'reason')}
            minLength={3}
            maxLength={500}
            autosize
            minRows={2}
            maxRows={6}
            required
          />
          <Effect>{t('evidence.effect')}</Effect>
        </>
      )}
    </FormDialog>
  );
}

/** What the pack of an incident has in it, for whoever asks for it now. */
function Holds() {
  const t = useT();
  const people = useAllowed('people.read');
  const acts = useAllowed('audit.read');
  return (
    <div className={styles.holds}>
      <p>{t('evidence.inPack')}</p>
      <ul>
        <li>{t('evidence.inPack.pictures')}</li>
        <li>{t('evidence.inPack.frames')}</li>
        <li>{t('evidence.inPack.doors')}</li>
        <li>{t(acts ? 'evidence.inPack.auditWhole' : 'evidence.inPack.audit')}</li>
        <li>{t(people ? 'evidence.inPack.names' : 'evidence.inPack.ids')}</li>
      </ul>
    </div>
  );
}

/** The clock of the form with seconds; zones differ by whole minutes. */
const toSecond = (at: number, zone: string | undefined): string =>
  `${toClock(at, zone)}:${String(Math.floor(at / 1000) % 60).padStart(2, '0')}`;

/** A moment to the second, as the clocks of the site showed it. */
function Moment({
  label,
  at,
  set,
  zone,
  error,
}: {
  label: string;
  at: number;
  set: (at: number) => void;
  zone: string | undefined;
  error: string | undefined;
}) {
  const [text, setText] = useState<string | null>(null);
  return (
    <TextInput
      type="datetime-local"
      step={1}
      label={label}
      value={text ?? toSecond(at, zone)}
      onChange={(e) => {
        const next = fromClock(e.currentTarget.value, zone);
        setText(e.currentTarget.value);
        if (Number.isFinite(next)) set(next);
      }}
      onBlur={() => setText(null)}
      error={error}
      required
    />
  );
}
