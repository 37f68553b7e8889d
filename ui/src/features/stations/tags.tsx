import { Autocomplete, Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import { stationsQuery } from '../../api/queries';
import { useT } from '../../i18n/i18n';
import { Icon } from '../../ui/icons';
import { useToast } from '../../ui/toast';
import styles from './page.module.css';

/** All tags in use, those of most stations first. */
export function useTags(): string[] {
  const { data } = useQuery(stationsQuery());
  return useMemo(() => {
    const counts = new Map<string, number>();
    for (const s of data ?? []) for (const tag of s.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([tag]) => tag);
  }, [data]);
}

type Change = { stations: string[]; add?: string[]; remove?: string[] };

// As many as one request may name.
const AT_ONCE = 1000;

/** What can be done with the stations that were picked. */
export function PickedBar({
  ids,
  clear,
  mayTag,
  work,
}: {
  ids: string[];
  clear: () => void;
  mayTag: boolean;
  work: ((ids: string[]) => void) | undefined;
}) {
  const t = useT();
  const toast = useToast();
  const queries = useQueryClient();
  const tags = useTags();
  const [tag, setTag] = useState('');
  const run = async ({ stations, add, remove }: Change): Promise<string[]> => {
    const changed: string[] = [];
    for (let i = 0; i < stations.length; i += AT_ONCE) {
      const answer = await ok(
        api.POST('/stations/tags', { body: { stations: stations.slice(i, i + AT_ONCE), add, remove } }),
      );
      changed.push(...Object.keys(answer.before));
    }
    return changed;
  };
  const refresh = () => queries.invalidateQueries({ queryKey: ['stations'] });
  const failed = (error: unknown) =>
    toast({
      text: t('tags.failed', { why: error instanceof Problem ? error.detail || error.title : '–' }),
      tone: 'bad',
    });
  const change = useMutation({
    mutationFn: run,
    onError: failed,
    onSuccess: async (changed, { add, remove }) => {
      const name = (add ?? remove)![0]!;
      await refresh();
      toast({
        text: t(add ? 'tags.added' : 'tags.removed', { n: changed.length, tag: name }),
        tone: 'good',
        undo:
          changed.length > 0
            ? () => void run({ stations: changed, add: remove, remove: add }).then(refresh).catch(failed)
            : undefined,
      });
      setTag('');
    },
  });
  const wanted = tag.trim();
  return (
    <section className={styles.picked} aria-label={t('list.picked')}>
      <p className="num">{t('tags.picked', { n: ids.length })}</p>
      {mayTag && (
        <>
          <Autocomplete
            aria-label={t('tags.name')}
            placeholder={t('tags.name')}
            data={tags}
            value={tag}
            onChange={setTag}
            maxLength={32}
            limit={12}
            className={styles.tagField}
            onKeyDown={(e) => {
              if (e.key === 'Enter' && wanted !== '' && !e.defaultPrevented)
                change.mutate({ stations: ids, add: [wanted] });
            }}
          />
          <Button
            variant="default"
            disabled={wanted === '' || change.isPending}
            onClick={() => change.mutate({ stations: ids, add: [wanted] })}
          >
            {t('tags.add')}
          </Button>
          <Button
            variant="default"
            disabled={!tags.some((x) => x.toLowerCase() === wanted.toLowerCase()) || change.isPending}
            onClick={() => change.mutate({ stations: ids, remove: [wanted] })}
          >
            {t('tags.remove')}
          </Button>
        </>
      )}
      {work && (
        <Button variant="default" leftSection={<Icon name="team" size={14} />} onClick={() => work(ids)}>
          {t('tags.work')}
        </Button>
      )}
      <Button variant="subtle" color="gray" onClick={clear}>
        {t('tags.clear')}
      </Button>
    </section>
  );
}
