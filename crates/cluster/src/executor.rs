//! One of the machines that compute.

use crate::{Address, ClusterError, function, runtime};
use ballista_core::JobId;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::error::BallistaError;
use ballista_core::execution_plans::ShuffleWriterExec;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_executor::execution_engine::{
    DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor,
};
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use blindtier_evaluator::Order;
use blindtier_wire::Digest;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::prelude::SessionConfig;
use std::any::Any;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Runtime;

/// An executor's settings.
pub struct Executor {
    /// The scheduler's address.
    pub scheduler: Address,
    /// How many chunks are computed at once.
    pub chunks: NonZeroUsize,
}

/// How long to wait before a scheduler that does not answer is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// An order, and where its outcome goes; nothing when there are no more.
type Asked = Option<(Order, SyncSender<Result<Digest, String>>)>;

/// Computes what the scheduler hands out, until the process gets SIGTERM or SIGINT: then it finishes what it is computing.
///
/// `compute` is called from several threads, and says in words what is wrong with an order. `waiting` is called once if
/// the scheduler does not answer yet. Nobody needs to reach this machine: it asks the scheduler for work, and what its
/// chunks come to lies on the board.
pub fn execute(
    settings: &Executor,
    compute: &(dyn Fn(&Order) -> Result<Digest, String> + Sync),
    waiting: &dyn Fn(),
) -> Result<(), ClusterError> {
    let runtime = runtime()?;
    let folder = tempfile::tempdir().map_err(ClusterError::Machine)?;
    let work_dir = folder.path().display().to_string();
    let chunks = settings.chunks.get();
    // The engine keeps what it is given for as long as it likes; the threads here end with this call.
    let (ask, asked) = sync_channel::<Asked>(chunks);
    let asked = Mutex::new(asked);
    std::thread::scope(|scope| {
        for _ in 0..chunks {
            scope.spawn(|| answer(&asked, compute));
        }
        let outcome = serve(&runtime, settings, work_dir, ask.clone(), waiting);
        runtime.shutdown_background();
        for _ in 0..chunks {
            // Nobody listens any more if a thread has panicked; then the scope says so.
            let _ = ask.send(None);
        }
        outcome
    })
}

fn answer(
    asked: &Mutex<Receiver<Asked>>,
    compute: &(dyn Fn(&Order) -> Result<Digest, String> + Sync),
) {
    loop {
        let next = asked.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Some((order, reply))) = next else { return };
        // Whoever asked may have gone; the result is on the board.
        let _ = reply.send(compute(&order));
    }
}

fn serve(
    runtime: &Runtime,
    settings: &Executor,
    work_dir: String,
    ask: SyncSender<Asked>,
    waiting: &dyn Fn(),
) -> Result<(), ClusterError> {
    let compute = move |order| {
        let (reply, outcome) = sync_channel(1);
        let ended = |_| "this executor is ending".to_owned();
        ask.send(Some((order, reply))).map_err(|_| ended(()))?;
        outcome.recv().map_err(|_| ended(()))?
    };
    let mut functions = BallistaFunctionRegistry::default();
    let function = function::computing(Arc::new(compute));
    functions.scalar_functions.insert(function.name().to_owned(), function);
    let functions = Arc::new(functions);
    let mut waited = false;
    loop {
        let config = ExecutorProcessConfig {
            // Results are on the board, and there is one stage: nobody fetches rows from here.
            bind_host: "127.0.0.1".to_owned(),
            port: 0,
            scheduler_host: settings.scheduler.host.clone(),
            scheduler_port: settings.scheduler.port,
            vcores: settings.chunks.get(),
            task_scheduling_policy: TaskSchedulingPolicy::PullStaged,
            work_dir: Some(work_dir.clone()),
            job_data_ttl_seconds: 3600,
            job_data_clean_up_interval_seconds: 600,
            memory_pool_size: Some(0),
            override_execution_engine: Some(Arc::new(ChunksOnly(DefaultExecutionEngine::new()))),
            override_function_registry: Some(Arc::clone(&functions)),
            ..ExecutorProcessConfig::default()
        };
        match runtime.block_on(start_executor_process(Arc::new(config))) {
            Err(BallistaError::GrpcConnectionError(_)) => {
                if !std::mem::replace(&mut waited, true) {
                    waiting();
                }
                std::thread::sleep(AGAIN);
            }
            outcome => return Ok(outcome?),
        }
    }
}

/// Runs plans that compute chunks, and refuses all others: they could read this machine's files.
struct ChunksOnly(DefaultExecutionEngine);

impl ExecutionEngine for ChunksOnly {
    fn create_query_stage_exec(
        &self,
        job_id: JobId,
        stage_id: usize,
        task_id: usize,
        global_output_partition_ids: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        work_dir: &str,
        config: &SessionConfig,
    ) -> EngineResult<Arc<dyn QueryStageExecutor>> {
        only_chunks(&plan)?;
        self.0.create_query_stage_exec(
            job_id,
            stage_id,
            task_id,
            global_output_partition_ids,
            plan,
            work_dir,
            config,
        )
    }
}

fn only_chunks(plan: &Arc<dyn ExecutionPlan>) -> EngineResult<()> {
    let in_memory = |source: &DataSourceExec| {
        let source: &dyn Any = source.data_source().as_ref();
        source.is::<MemorySourceConfig>()
    };
    let known = plan.is::<ShuffleWriterExec>()
        || plan.is::<ProjectionExec>()
        || plan.downcast_ref::<DataSourceExec>().is_some_and(in_memory);
    if !known {
        let reason =
            format!("this executor computes chunks of a round, and does not run {}", plan.name());
        return Err(DataFusionError::Execution(reason));
    }
    plan.children().into_iter().try_for_each(only_chunks)
}
