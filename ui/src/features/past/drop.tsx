import { Button, FileButton, Loader } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type DragEvent, useState } from 'react';
import { useT } from '../../i18n/i18n';
import { FormFault } from '../../ui/form';
import { Icon } from '../../ui/icons';
import styles from './past.module.css';
import { MOST_BYTES, type Preview, send } from './queries';

/** Where a file is dropped or chosen. It is sent and read at once; nothing of it is imported. */
export function Drop({ taken }: { taken: (preview: Preview) => void }) {
  const t = useT();
  const [over, setOver] = useState(false);
  const [large, setLarge] = useState(false);
  const up = useMutation({ mutationFn: send, onSuccess: taken });
  const take = (file: File | null | undefined) => {
    if (!file || up.isPending) return;
    setLarge(file.size > MOST_BYTES);
    if (file.size <= MOST_BYTES) up.mutate(file);
  };
  const drag = (e: DragEvent, inside: boolean) => {
    e.preventDefault();
    setOver(inside);
  };
  return (
    <>
      <div
        role="group"
        aria-label={t('past.bring')}
        className={styles.drop}
        data-over={over}
        onDragOver={(e) => drag(e, true)}
        onDragLeave={(e) => drag(e, false)}
        onDrop={(e) => {
          drag(e, false);
          take(e.dataTransfer.files[0]);
        }}
      >
        {up.isPending ? (
          <p role="status" className={styles.sending}>
            <Loader size={16} /> {t('past.sending', { name: up.variables.name })}
          </p>
        ) : (
          <>
            <p className={styles.dropTitle}>{t('past.drop')}</p>
            <p className="meta">{t('past.drop.hint')}</p>
            <FileButton accept=".csv,.tsv,.txt,text/csv,text/plain" onChange={take}>
              {(props) => (
                <Button variant="default" leftSection={<Icon name="upload" size={16} />} {...props}>
                  {t('past.choose')}
                </Button>
              )}
            </FileButton>
          </>
        )}
      </div>
      {large && (
        <p role="alert" className={styles.bad}>
          {t('past.large')}
        </p>
      )}
      <FormFault what={t('past.refused')} error={up.error} />
    </>
  );
}
