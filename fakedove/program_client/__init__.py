"""A program client: asks a script service, or a program itself, as Dovecot's features do.

    done = fakedove.execute("unix:/run/dovecot/quota-warning", args=["80", "tss"])
    done.verdict, done.output, done.log

`call` is what to run and how, `exchange` what is said and concluded, without I/O; `remote`
carries it out over a socket, `forked` runs a program without a service, and
`temporary_service` makes a service for one call. `execution` chooses among them.
"""

from fakedove.dovecot.program_client import Verdict as Verdict
from fakedove.program_client.call import ExecuteError as ExecuteError
from fakedove.program_client.execution import execute as execute
from fakedove.program_client.execution import execute_in_trio as execute_in_trio
from fakedove.program_client.outcome import Execution as Execution
from fakedove.program_client.script_run import ScriptRun as ScriptRun
from fakedove.program_client.script_run import run_script as run_script
