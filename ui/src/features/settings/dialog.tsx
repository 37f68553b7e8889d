import { Button, Modal } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Problem } from '../../api/problem';
import { useT } from '../../i18n/i18n';
import { CopyLine } from '../../ui/copy';
import { FormFault } from '../../ui/form';
import form from '../../ui/form.module.css';
import { useFreshPassword } from '../../ui/reauth';
import styles from './settings.module.css';

/** What the server says is wrong with one field. */
export const faultAt = (error: unknown, field: string): string | undefined =>
  error instanceof Problem
    ? error.faults.find((f) => f.location.replace(/^body\.?/, '') === field)?.message
    : undefined;

/** Refusals in words of our own: what a status means for this act. */
export type Refusals = Partial<Record<number, string>>;

const said = (error: unknown, refusals: Refusals | undefined): unknown =>
  error instanceof Problem && refusals?.[error.status]
    ? new Problem(error.status, error.title, refusals[error.status]!, [], error.requestId)
    : error;

/**
 * The one shape of a form here: fields at reading width, what the server would
 * not take, cancel and a verb. What can only be shown once stays until it is
 * put away.
 */
export function FormDialog<T>({
  title,
  close,
  send,
  sent,
  action,
  failed,
  refusals,
  grave = false,
  reauth = false,
  ready = true,
  wide = false,
  children,
  once,
}: {
  title: string;
  close: () => void;
  send: () => Promise<T>;
  /** After the server took it; without once the dialog then closes. */
  sent: (answer: T) => unknown;
  action: string;
  failed: string;
  refusals?: Refusals;
  grave?: boolean;
  reauth?: boolean;
  ready?: boolean;
  /** For what needs more room than reading does. */
  wide?: boolean;
  children: ReactNode | ((error: unknown) => ReactNode);
  /** What is shown once, made of the answer; nothing closes. */
  once?: (answer: T) => ReactNode;
}) {
  const t = useT();
  const fresh = useFreshPassword();
  const [kept, setKept] = useState<ReactNode>(null);
  const post = useMutation({
    mutationFn: async () => {
      if (reauth) await fresh.ensure();
      return send();
    },
    onError: reauth ? fresh.notice : undefined,
    onSuccess: async (answer) => {
      const left = once?.(answer) ?? null;
      if (left) setKept(left);
      await sent(answer);
      if (!left) close();
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    if (ready) post.mutate();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={title}
      size={wide ? 720 : 592}
      closeOnClickOutside={kept === null && !post.isPending}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {kept !== null ? (
        <div className={form.form}>
          {kept}
          <div className={form.actions}>
            <Button onClick={close} data-autofocus>
              {t('action.done')}
            </Button>
          </div>
        </div>
      ) : (
        <form className={`${form.form} ${wide ? styles.wide : ''}`} onSubmit={submit} noValidate={false}>
          {typeof children === 'function' ? children(post.error) : children}
          {reauth && fresh.field}
          <FormFault what={failed} error={said(post.error, refusals)} />
          <div className={form.actions}>
            <Button variant="default" onClick={close}>
              {t('action.cancel')}
            </Button>
            <Button
              type="submit"
              loading={post.isPending}
              disabled={!ready}
              {...(grave ? { color: 'red' } : {})}
            >
              {action}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}

/** A secret that is shown this once, to be copied. */
export function Once({ what, value, note }: { what: string; value: string; note: string }) {
  return (
    <div>
      <p className={form.label}>{what}</p>
      <CopyLine value={value} what={what} />
      <p className="meta">{note}</p>
    </div>
  );
}

/** Says the effect before it happens. */
export const Effect = ({ children }: { children: ReactNode }) => <p className={styles.text}>{children}</p>;
