import { Button, TextInput } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { count } from '../../format/quantity';
import { useT, useTag } from '../../i18n/i18n';
import { saveCsv } from '../../ui/csv';
import { Icon } from '../../ui/icons';
import { Empty, Failed, Panel, Skeleton } from '../../ui/panel';
import { TableFrame } from '../../ui/table';
import table from '../../ui/table.module.css';
import styles from './settings.module.css';

type Cell = string | number | boolean | null | undefined;

export type Column<T> = {
  head: string;
  cell: (row: T) => ReactNode;
  /** What stands in the file; without it the column is for the eye only. */
  csv?: (row: T) => Cell;
  end?: boolean;
  prose?: boolean;
  /** Long texts are cut at a width; the whole is told on hover. */
  cut?: (row: T) => string;
};

const route = getRouteApi('/inside/settings');

/** What the list is narrowed to, kept in the address. */
export function useSought(): [string, (q: string) => void] {
  const { q } = route.useSearch();
  const navigate = route.useNavigate();
  return [
    q ?? '',
    (next) => void navigate({ search: (s) => ({ ...s, q: next || undefined }), replace: true }),
  ];
}

const STEP = 200;

/** A list of the settings: narrowed by a field, saved as a file, each row with what can be done about it. */
export function List<T>({
  title,
  aside,
  rows,
  error,
  retry,
  columns,
  keyOf,
  finds,
  empty,
  file,
  menu,
  tools,
  more,
}: {
  title: string;
  aside?: ReactNode;
  rows: readonly T[] | undefined;
  error?: unknown;
  retry?: () => void;
  columns: Column<T>[];
  keyOf: (row: T) => string;
  /** The text of a row that the field looks through; without it the server looked already. */
  finds?: (row: T) => string;
  empty: ReactNode;
  file: string;
  menu?: (row: T) => ReactNode;
  tools?: ReactNode;
  /** Brings what the server has beyond these. */
  more?: (() => void) | undefined;
}) {
  const t = useT();
  const tag = useTag();
  const [sought, setSought] = useSought();
  const [shown, setShown] = useState(STEP);
  const words = sought.trim().toLowerCase();
  const found = rows && finds && words ? rows.filter((r) => finds(r).toLowerCase().includes(words)) : rows;
  const saved = columns.filter((c) => c.csv);
  const searching = words !== '';
  return (
    <Panel title={title} flush aside={aside}>
      {(searching || tools || (rows && rows.length > 0)) && (
        <div className={styles.tools}>
          <TextInput
            aria-label={t('list.search', { what: title })}
            placeholder={t('list.search', { what: title })}
            leftSection={<Icon name="filter" size={16} />}
            value={sought}
            onChange={(e) => setSought(e.currentTarget.value)}
          />
          {tools}
          {found && found.length > 0 && (
            <Button
              variant="default"
              leftSection={<Icon name="download" size={14} />}
              onClick={() =>
                saveCsv(
                  file,
                  saved.map((c) => c.head),
                  found.map((r) => saved.map((c) => c.csv!(r))),
                )
              }
            >
              {t('list.csv')}
            </Button>
          )}
          {found && (
            <span className="meta" role="status">
              {t(more && !searching ? 'list.first' : 'list.count', {
                n: found.length,
                shown: count(tag, found.length),
              })}
            </span>
          )}
        </div>
      )}
      {error && !rows ? (
        <Failed what={title} error={error} {...(retry ? { retry } : {})} />
      ) : !found ? (
        <Skeleton />
      ) : found.length === 0 ? (
        searching ? (
          <Empty
            title={t('search.nothing', { query: sought })}
            action={
              <Button variant="default" onClick={() => setSought('')}>
                {t('list.all')}
              </Button>
            }
          />
        ) : (
          empty
        )
      ) : (
        <TableFrame label={title}>
          <thead>
            <tr>
              {columns.map((c) => (
                <th key={c.head} scope="col" className={c.end ? table.end : undefined}>
                  {c.head}
                </th>
              ))}
              {menu && (
                <th scope="col" className={styles.acts}>
                  <span className="srOnly">{t('list.actions')}</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {found.slice(0, shown).map((r) => (
              <tr key={keyOf(r)}>
                {columns.map((c, i) =>
                  i === 0 ? (
                    <th key={c.head} scope="row">
                      {c.cell(r)}
                    </th>
                  ) : (
                    <td
                      key={c.head}
                      className={
                        [c.end && `${table.end} num`, c.prose && table.prose, c.cut && styles.cut]
                          .filter(Boolean)
                          .join(' ') || undefined
                      }
                      title={c.cut?.(r)}
                    >
                      {c.cell(r)}
                    </td>
                  ),
                )}
                {menu && <td className={styles.acts}>{menu(r)}</td>}
              </tr>
            ))}
          </tbody>
        </TableFrame>
      )}
      {found && (found.length > shown || more) && (
        <div className={styles.more}>
          <Button
            variant="subtle"
            color="gray"
            onClick={() => {
              if (found.length > shown) setShown(shown + STEP);
              else more?.();
            }}
          >
            {t('list.more')}
          </Button>
        </div>
      )}
    </Panel>
  );
}
