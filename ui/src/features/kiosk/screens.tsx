import { Button, Modal } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { agentWords } from '../../ui/agent';
import { CopyLine } from '../../ui/copy';
import { Age } from '../../ui/figures';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { Icon } from '../../ui/icons';
import { useAllowed } from '../../ui/me';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { useSites } from '../../ui/sites';
import { TableFrame } from '../../ui/table';
import { useToast } from '../../ui/toast';
import { AddScreen, ChangeScreen } from './edit';
import { type Kiosk, kiosksQuery } from './queries';

/** The screens that were let in, and the way to let in another. */
export default function Screens({ code }: { code?: string }) {
  const t = useT();
  const { data, error, refetch } = useQuery(kiosksQuery());
  const mayWrite = useAllowed('kiosks.write');
  const [adding, setAdding] = useState(code !== undefined && code !== '');
  const [changing, setChanging] = useState<Kiosk>();
  const [ending, setEnding] = useState<Kiosk>();
  return (
    <>
      <Panel
        title={t('kiosk.list')}
        flush
        aside={
          mayWrite ? (
            <Button leftSection={<Icon name="plus" size={14} />} onClick={() => setAdding(true)}>
              {t('kiosk.add')}
            </Button>
          ) : undefined
        }
      >
        {error && !data ? (
          <Failed what={t('kiosk.list')} error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton />
        ) : data.length === 0 ? (
          <Empty
            title={t('kiosk.none')}
            action={<CopyLine value={`${location.origin}/kiosk`} what={t('kiosk.address')} />}
          >
            {t('kiosk.noneText')}
          </Empty>
        ) : (
          <TableFrame label={t('kiosk.list')}>
            <thead>
              <tr>
                <th scope="col">{t('kiosk.name')}</th>
                <th scope="col">{t('kiosk.sites')}</th>
                <th scope="col">{t('kiosk.agent')}</th>
                <th scope="col">{t('kiosk.from')}</th>
                <th scope="col">{t('kiosk.seen')}</th>
                <th scope="col">
                  <span className="srOnly">{t('search.actions')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.map((k) => (
                <tr key={k.id}>
                  <th scope="row">{k.name}</th>
                  <td>
                    <SitesOf sites={k.sites} />
                  </td>
                  <td>{agentWords(k.userAgent)}</td>
                  <td className="mono">{k.remoteAddr}</td>
                  <td>
                    {k.seenAt ? <Age at={k.seenAt} /> : <span className="meta">{t('kiosk.never')}</span>}
                  </td>
                  <td>
                    {mayWrite && (
                      <span className={form.actions}>
                        <Button
                          variant="default"
                          size="compact-sm"
                          aria-label={t('kiosk.changeOf', { name: k.name })}
                          onClick={() => setChanging(k)}
                        >
                          {t('kiosk.change')}
                        </Button>
                        <Button
                          variant="default"
                          size="compact-sm"
                          aria-label={t('kiosk.endOf', { name: k.name })}
                          onClick={() => setEnding(k)}
                        >
                          {t('kiosk.end')}
                        </Button>
                      </span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </TableFrame>
        )}
      </Panel>
      {adding && <AddScreen code={code ?? ''} close={() => setAdding(false)} />}
      {changing && <ChangeScreen kiosk={changing} close={() => setChanging(undefined)} />}
      {ending && <EndScreen kiosk={ending} close={() => setEnding(undefined)} />}
    </>
  );
}

function SitesOf({ sites }: { sites: string[] }) {
  const t = useT();
  const known = useSites();
  return (
    <>{sites.includes('*') ? t('kiosk.allSites') : sites.map((id) => known.get(id)?.name ?? id).join(', ')}</>
  );
}

function EndScreen({ kiosk, close }: { kiosk: Kiosk; close: () => void }) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const end = useMutation({
    mutationFn: () => ok(api.DELETE('/kiosks/{id}', { params: { path: { id: kiosk.id } } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: kiosksQuery().queryKey });
      toast({ text: t('kiosk.ended', { name: kiosk.name }), tone: 'good' });
      close();
    },
  });
  return (
    <Modal
      opened
      onClose={close}
      title={t('kiosk.endTitle', { name: kiosk.name })}
      closeButtonProps={{ 'aria-label': t('action.close') }}
      size={480}
    >
      <div className={form.form}>
        <p>{t('kiosk.endText')}</p>
        <FormFault what={t('kiosk.endFailed')} error={end.error} />
        <div className={form.actions}>
          <Button variant="default" onClick={close}>
            {t('action.cancel')}
          </Button>
          <Button color="red" onClick={() => end.mutate()} loading={end.isPending} data-autofocus>
            {t('kiosk.end')}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
