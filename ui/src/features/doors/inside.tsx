// Who is inside of areas, by the doors of these; whoever is there by mistake is pardoned.
import { Button, Textarea } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { count } from '../../format/quantity';
import { exact, span } from '../../format/time';
import { useT, useTag } from '../../i18n/i18n';
import { useNow } from '../../live/clock';
import { useLive } from '../../live/hooks';
import { useAllowed } from '../../ui/me';
import { Failed, Panel } from '../../ui/panel';
import { useSiteNames } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import { useZone } from '../../ui/zone';
import { Effect, FormDialog, faultAt } from '../settings/dialog';
import { type Area, areasQuery, type Inside, insideQuery } from './areas';
import { type Door, doorName } from './door';
import styles from './doors.module.css';
import { DOORS } from './feed';

type Open = { what: 'pardon'; area: Area; of: Inside | null } | { what: 'muster'; site: string };

export function InsideAreas({
  site,
  doors,
}: {
  site: string | undefined;
  doors: readonly Door[] | undefined;
}) {
  const t = useT();
  const tag = useTag();
  const zone = useZone();
  const siteName = useSiteNames();
  const { client } = useLive();
  const now = useNow(10_000) + client.clockOffset;
  const mayRead = useAllowed('policies.read');
  const mayWrite = useAllowed('people.write');
  const areas = useQuery({ ...areasQuery(), enabled: mayRead });
  const { data, error, refetch } = useQuery({ ...insideQuery(site), enabled: mayRead });
  const [open, setOpen] = useState<Open | null>(null);
  const shown = (areas.data ?? []).filter((a) => site === undefined || a.siteId === site);
  const known = new Map((doors ?? []).map((d) => [d.id, d]));
  if (shown.length === 0) return null;
  if (error && !data) return <Failed what={t('doors.areas')} error={error} retry={() => void refetch()} />;
  return (
    <>
      {shown.map((a) => {
        const inside = (data ?? []).filter((x) => x.areaId === a.id);
        return (
          <Panel
            key={a.id}
            flush
            title={`${a.name}, ${siteName(a.siteId)}`}
            aside={
              <>
                <span className="num">
                  {t('doors.muster.count', { n: inside.length, shown: count(tag, inside.length) })}
                </span>
                {mayWrite && inside.length > 0 && (
                  <Button
                    className={styles.print ?? ''}
                    size="compact-sm"
                    variant="default"
                    onClick={() => setOpen({ what: 'muster', site: a.siteId })}
                  >
                    {t('doors.inside.end')}
                  </Button>
                )}
              </>
            }
          >
            {inside.length === 0 ? (
              <p className={styles.nobody}>{t('doors.inside.nobody')}</p>
            ) : (
              <TableFrame label={t('doors.muster.of', { site: a.name })}>
                <thead>
                  <tr>
                    <th scope="col">{t('doors.muster.name')}</th>
                    <th scope="col">{t('doors.muster.door')}</th>
                    <th scope="col">{t('doors.muster.at')}</th>
                    <th scope="col" className={table.end}>
                      {t('doors.muster.for')}
                    </th>
                    {mayWrite && (
                      <th scope="col" className={styles.print ?? ''} aria-label={t('doors.inside.pardon')} />
                    )}
                  </tr>
                </thead>
                <tbody>
                  {inside.map((x) => (
                    <tr key={x.personId || x.credentialId}>
                      <th scope="row">
                        {x.name || t('doors.who.unnamed')}
                        {x.unsure && <span className="meta"> {t('doors.inside.unsure')}</span>}
                      </th>
                      <td>{known.has(x.doorId) ? doorName(known.get(x.doorId)!) : x.doorId}</td>
                      <td className="num">{exact(tag, Date.parse(x.since), zone)}</td>
                      <td className={`${table.end} num`}>{span(now - Date.parse(x.since))}</td>
                      {mayWrite && (
                        <td className={`${table.end} ${styles.print}`}>
                          <Button
                            size="compact-sm"
                            variant="default"
                            onClick={() => setOpen({ what: 'pardon', area: a, of: x })}
                          >
                            {t('doors.inside.pardon')}
                          </Button>
                        </td>
                      )}
                    </tr>
                  ))}
                </tbody>
              </TableFrame>
            )}
          </Panel>
        );
      })}
      {open && <Ask open={open} close={() => setOpen(null)} siteName={siteName} />}
    </>
  );
}

function Ask({ open, close, siteName }: { open: Open; close: () => void; siteName: (id: string) => string }) {
  const t = useT();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const why = reason.trim();
  const pardon = open.what === 'pardon';
  const who = pardon ? open.of?.name || t('doors.who.unnamed') : '';
  return (
    <FormDialog
      title={
        pardon
          ? t('doors.inside.pardonTitle', { who, area: open.area.name })
          : t('doors.inside.endTitle', { site: siteName(open.site) })
      }
      close={close}
      send={() =>
        ok(
          pardon
            ? api.POST('/access/areas/{id}/pardon', {
                params: { path: { id: open.area.id ?? '' } },
                body: {
                  reason: why,
                  ...(open.of?.personId ? { personId: open.of.personId } : {}),
                  ...(open.of?.credentialId ? { credentialId: open.of.credentialId } : {}),
                },
              })
            : api.POST('/sites/{site}/muster/end', {
                params: { path: { site: open.site } },
                body: { reason: why },
              }),
        )
      }
      sent={() => queries.invalidateQueries({ queryKey: DOORS })}
      action={t(pardon ? 'doors.inside.pardon' : 'doors.inside.end')}
      failed={t('doors.notSaved')}
      ready={why.length >= 3}
    >
      {(error) => (
        <>
          <Effect>
            {t(
              !pardon
                ? 'doors.inside.endText'
                : open.area.board
                  ? 'doors.inside.pardonBoard'
                  : 'doors.inside.pardonText',
            )}
          </Effect>
          <Textarea
            label={t('doors.reason')}
            description={t('doors.reasonHint')}
            value={reason}
            onChange={(e) => setReason(e.currentTarget.value)}
            error={faultAt(error, 'reason')}
            minLength={3}
            maxLength={500}
            autosize
            minRows={2}
            required
            data-autofocus
          />
        </>
      )}
    </FormDialog>
  );
}
