import { Button } from '@mantine/core';
import type { Message } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { toClipboard } from '../../ui/clipboard';
import { saveCsv } from '../../ui/csv';
import { useToast } from '../../ui/toast';
import type { Answer } from './merge';
import styles from './messages.module.css';

/** Frames as JSON where they are JSON, else as the text they were. */
export const toJson = (messages: readonly Message[]): string =>
  JSON.stringify(
    messages.map((m) => {
      let frame: unknown = m.frame;
      try {
        frame = JSON.parse(m.frame);
      } catch {
        // What is no JSON stays text.
      }
      return { at: m.at, direction: m.direction, frame };
    }),
    null,
    2,
  );

function saveJson(name: string, messages: readonly Message[]): void {
  const url = URL.createObjectURL(new Blob([toJson(messages)], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `${name}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Takes what is shown elsewhere: as JSON to the clipboard, as a file of JSON or CSV. */
export function Exports({
  station,
  messages,
  answered,
}: {
  station: string;
  messages: readonly Message[];
  answered: Map<Message, Answer>;
}) {
  const t = useT();
  const toast = useToast();
  const name = `${station}-messages`;
  return (
    <span className={styles.exports}>
      <Button
        size="compact-sm"
        variant="default"
        onClick={async () =>
          toast(
            (await toClipboard(toJson(messages)))
              ? { text: t('messages.copied', { n: messages.length }) }
              : { text: t('copy.failed'), tone: 'bad' },
          )
        }
      >
        {t('messages.copy')}
      </Button>
      <Button size="compact-sm" variant="default" onClick={() => saveJson(name, messages)}>
        {t('export.json')}
      </Button>
      <Button
        size="compact-sm"
        variant="default"
        onClick={() =>
          saveCsv(
            name,
            ['at', 'direction', 'type', 'messageId', 'action', 'bytes', 'frame', 'quirks'],
            messages.map((m) => [
              m.at,
              m.direction,
              m.type,
              m.messageId,
              m.action || answered.get(m)?.action,
              m.bytes,
              m.frame,
              m.quirks.join(' '),
            ]),
          )
        }
      >
        {t('export.csv')}
      </Button>
    </span>
  );
}
