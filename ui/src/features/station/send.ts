import { type UseMutationResult, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, ok } from '../../api/client';
import { certificatesQuery, commandsQuery, configurationQuery } from '../../api/queries';
import type { Command } from '../../api/shapes';
import type { Translate } from '../../i18n/i18n';
import type { Built } from './actions';
import { mergeCommand } from './merge';

/**
 * Sends commands to a station. Without a wait the answer comes over the feed or
 * the list, so that a form can say "sent" at once.
 */
export function useSend(station: string, wait = '0s'): UseMutationResult<Command, Error, Built> {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Built) =>
      ok(
        api.POST('/stations/{station}/commands', {
          params: { path: { station }, query: { wait } },
          body,
        }),
      ),
    onSuccess: (command) => {
      queries.setQueryData(commandsQuery(station).queryKey, (list: Command[] | undefined) =>
        list ? mergeCommand(list, command) : list,
      );
      void queries.invalidateQueries({ queryKey: commandsQuery(station).queryKey });
      if (command.status !== 'answered') return;
      void queries.invalidateQueries({ queryKey: configurationQuery(station).queryKey });
      void queries.invalidateQueries({ queryKey: certificatesQuery(station).queryKey });
    },
  });
}

/** What the station's own answer says, where it has a word for it. */
export function answerWord(response: unknown): string {
  if (typeof response !== 'object' || response === null) return '';
  const said = response as Record<string, unknown>;
  if (typeof said.status === 'string') return said.status;
  // 2.x answers each variable on its own.
  const results = said.setVariableResult;
  if (!Array.isArray(results)) return '';
  const words = results.map((r) => String((r as Record<string, unknown>)?.attributeStatus ?? ''));
  return words.find((w) => w !== 'Accepted') ?? words[0] ?? '';
}

/** Nothing but these words means that the station did what it was asked. */
export const isDone = (c: Command): boolean =>
  c.status === 'answered' &&
  /^(Accepted|AcceptedCanceled|Scheduled|Unlocked|RebootRequired|)$/.test(answerWord(c.response));

export function outcomeText(t: Translate, c: Command): string {
  if (c.status === 'answered') {
    const answer = answerWord(c.response);
    return answer ? t('outcome.answeredWith', { answer }) : t('outcome.answered');
  }
  if (c.status === 'error') return t('outcome.error', { code: c.errorCode || '–' });
  return c.status === 'sent' ? t('outcome.noAnswerYet') : t(`outcome.${c.status}`);
}
