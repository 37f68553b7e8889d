import { Chip, Group } from '@mantine/core';
import { useT } from '../../i18n/i18n';
import { SEEN, type SeenKind } from './seen';
import styles from './seenfilter.module.css';
import { SeenShape } from './seenshape';
import { sceneKey } from './track';

/** Chooses what of the things seen is shown and gone to; nothing chosen is all. */
export function SeenFilter({
  there,
  chosen,
  choose,
}: {
  there: ReadonlySet<SeenKind>;
  chosen: readonly SeenKind[];
  choose: (kinds: readonly SeenKind[]) => void;
}) {
  const t = useT();
  const offered = SEEN.filter((k) => there.has(k) || chosen.includes(k));
  if (offered.length === 0) return null;
  return (
    <Chip.Group
      multiple
      value={[...chosen]}
      onChange={(values) => choose(SEEN.filter((k) => values.includes(k)))}
    >
      <Group gap={4} role="group" aria-label={t('video.seen.only')}>
        {offered.map((k) => (
          <Chip key={k} value={k} size="xs" variant="outline">
            <span className={styles.kind}>
              <SeenShape kind={k} size={12} />
              {t(sceneKey(k))}
            </span>
          </Chip>
        ))}
      </Group>
    </Chip.Group>
  );
}
