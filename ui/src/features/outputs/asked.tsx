// Somebody asks for a second person: seen by everybody who may agree, wherever they are,
// for the minute that it lasts.
import { useAllowed } from '../../ui/me';
import { useOutputs } from './feed';
import styles from './outputs.module.css';
import { Asked, useServerClock } from './row';

export default function SecondPerson() {
  const may = useAllowed('outputs.switch');
  const { data } = useOutputs(may);
  const open = (data ?? []).filter((o) => o.request !== null);
  return open.length > 0 ? <Bar open={open} /> : null;
}

function Bar({ open }: { open: NonNullable<ReturnType<typeof useOutputs>['data']> }) {
  const now = useServerClock();
  return (
    <div className={styles.bar}>
      {open.map((o) => o.request && <Asked key={o.id} of={o} request={o.request} may now={now} linked />)}
    </div>
  );
}
