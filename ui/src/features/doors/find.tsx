import { Button, Loader, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import type { Preset } from './controller-form';
import styles from './part.module.css';
import { CONTROLLERS, type Controller, controllerName } from './setup';

/** Controllers in the networks of the server; one of them becomes the form of a new one. */
export function FindControllers({
  controllers,
  close,
  chosen,
}: {
  controllers: readonly Controller[] | undefined;
  close: () => void;
  chosen: (preset: Preset) => void;
}) {
  const t = useT();
  const search = useQuery({
    queryKey: [...CONTROLLERS, 'find'],
    queryFn: () => ok(api.POST('/controllers/find', {})).then((p) => p.items),
    staleTime: 60_000,
    gcTime: 60_000,
    retry: false,
    refetchOnWindowFocus: false,
  });
  const found = search.isFetching ? undefined : search.data;
  const ours = (id: string) => {
    const c = controllers?.find((x) => x.id === id);
    return c ? controllerName(c) : id;
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t('doors.find')}
      size={592}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className={styles.find}>
        <div className={styles.bar}>
          <p className="meta" role="status">
            {search.isFetching
              ? t('doors.finding')
              : found && found.length > 0
                ? t('doors.found', { n: found.length })
                : ''}
          </p>
          <Button
            variant="default"
            size="compact-sm"
            leftSection={<Icon name="retry" size={14} />}
            disabled={search.isFetching}
            onClick={() => void search.refetch()}
          >
            {t('doors.findAgain')}
          </Button>
        </div>
        {search.isFetching && <Loader size="sm" className={styles.wait ?? ''} />}
        {!search.isFetching && <FormFault what={t('doors.findFailed')} error={search.error} />}
        {found?.length === 0 && (
          <div className={styles.none}>
            <p>{t('doors.foundNone')}</p>
            <p className="meta">{t('doors.foundNoneHint')}</p>
          </div>
        )}
        {found && found.length > 0 && (
          <ul className={styles.list}>
            {found.map((x) => (
              <li key={x.serial}>
                <button
                  type="button"
                  className={styles.device}
                  disabled={x.known !== ''}
                  onClick={() => chosen({ address: x.address, serial: x.serial })}
                >
                  <span className="num">{x.serial}</span>
                  <span className="meta mono">{x.address}</span>
                  <span className="meta">{[x.firmware, x.mac].filter(Boolean).join(' · ')}</span>
                  <span className="meta">{x.known && t('doors.known', { name: ours(x.known) })}</span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Modal>
  );
}
