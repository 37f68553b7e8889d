// Does what people decide about one or several incidents: asks what has to be
// said, tells the server, shows what it refuses.
import { useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from 'react';
import { api, ok } from '../../api/client';
import { Problem } from '../../api/problem';
import type { IncidentAct } from '../../api/shapes';
import { useT } from '../../i18n/i18n';
import { useLive } from '../../live/hooks';
import { useAllowed } from '../../ui/me';
import { useToast } from '../../ui/toast';
import { type Act, asks, inverse, offers } from './acts';
import { Ask } from './ask';
import { useIncidentStore } from './feed';
import { incidentQuery } from './queries';
import { type Incident, wholeDetail } from './shape';
import { useMe } from './who';
import { whatText, whereText } from './words';

/** How many requests of one act run at a time. */
const AT_ONCE = 4;

type Do = (act: Act, list: readonly Incident[]) => void;
const Context = createContext<{ may: boolean; act: Do }>({ may: false, act: () => {} });

export const useActor = () => useContext(Context);

type Outcome = { done: Incident[]; refused: { incident: Incident; error: unknown }[] };

/** Sends one act for each incident, a few at a time. */
function useSender(): (act: Act, list: readonly Incident[], body: IncidentAct) => Promise<Outcome> {
  const queries = useQueryClient();
  const store = useIncidentStore();
  return useCallback(
    async (act, list, body) => {
      const out: Outcome = { done: [], refused: [] };
      const left = [...list];
      const work = async () => {
        for (let i = left.shift(); i; i = left.shift()) {
          try {
            const detail = wholeDetail(
              await ok(
                api.POST('/incidents/{id}/{action}', { params: { path: { id: i.id, action: act } }, body }),
              ),
            );
            store.change(detail);
            queries.setQueryData(incidentQuery(i.id).queryKey, detail);
            out.done.push(i);
          } catch (error) {
            out.refused.push({ incident: i, error });
            // It is not as it was shown.
            void queries.invalidateQueries({ queryKey: incidentQuery(i.id).queryKey });
          }
        }
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, list.length) }, work));
      if (act === 'close' || act === 'reopen' || act === 'merge')
        void queries.invalidateQueries({ queryKey: ['incidents', 'closed'] });
      return out;
    },
    [queries, store],
  );
}

export const refusal = (error: unknown): string =>
  error instanceof Problem
    ? error.faults.map((f) => f.message).join(', ') || error.detail || error.title
    : String(error);

export function Actor({ children }: { children: ReactNode }) {
  const t = useT();
  const toast = useToast();
  const me = useMe();
  const may = useAllowed('incidents.act');
  const { client } = useLive();
  const send = useSender();
  const [asked, setAsked] = useState<{ act: Act; list: readonly Incident[] } | null>(null);

  const tell = useCallback(
    (act: Act, out: Outcome) => {
      const [first] = out.done;
      const backs = out.done.map((i) => ({ i, back: inverse(act, i) }));
      if (first) {
        toast({
          text: t(`incident.done.${act}`, {
            n: out.done.length,
            what: `${whatText(t, first)}, ${whereText(t, first)}`,
          }),
          tone: 'good',
          ...(backs.every((b) => b.back)
            ? {
                undo: () => {
                  for (const { i, back } of backs) {
                    void send(back!.act, [i], back!.body).then((o) => {
                      for (const r of o.refused)
                        toast({ text: t('incident.refused', { n: 1, why: refusal(r.error) }), tone: 'bad' });
                    });
                  }
                },
              }
            : {}),
        });
      }
      if (out.refused.length > 0)
        toast({
          text: t('incident.refused', { n: out.refused.length, why: refusal(out.refused[0]!.error) }),
          tone: 'bad',
        });
    },
    [t, toast, send],
  );

  const act: Do = useCallback(
    (kind, list) => {
      const now = Date.now() + client.clockOffset;
      const able = list.filter((i) => offers(kind, i, now, me));
      if (!may || able.length === 0) return;
      if (asks(kind, able, now, me)) setAsked({ act: kind, list: able });
      else void send(kind, able, {}).then((out) => tell(kind, out));
    },
    [may, me, client, send, tell],
  );

  const value = useMemo(() => ({ may, act }), [may, act]);
  return (
    <Context.Provider value={value}>
      {children}
      {asked && (
        <Ask
          act={asked.act}
          list={asked.list}
          close={() => setAsked(null)}
          send={async (body) => {
            const out = await send(asked.act, asked.list, body);
            // One that is refused stays open, with what the server says.
            if (out.done.length === 0 && out.refused[0]) throw out.refused[0].error;
            setAsked(null);
            tell(asked.act, out);
          }}
        />
      )}
    </Context.Provider>
  );
}
