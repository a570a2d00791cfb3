//! Handing out the chunks of one evaluation.

use crate::{Address, ClusterError, function, runtime};
use ballista_core::execution_plans::execute_physical_plan;
use ballista_core::extension::SessionConfigExt;
use ballista_core::serde::BallistaPhysicalExtensionCodec;
use blindtier_evaluator::{Machines, Order, Wanted};
use datafusion::arrow::datatypes::FieldRef;
use datafusion::config::ConfigOptions;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result as EngineResult;
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::PhysicalPlanNode;
use std::error::Error;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Orders in one job. A plan has to fit into one message of 16 MiB, and an order with its frame takes a kilobyte or two.
const ORDERS: usize = 1024;

/// How often the board is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// The setting that makes every chunk a task of its own.
const ONE_CHUNK_A_TASK: (&str, usize) = ("ballista.scheduler.max_partitions_per_task", 1);

/// Machines behind a scheduler.
pub struct Cluster {
    /// The scheduler's address.
    pub scheduler: Address,
    /// How long no new result may come before a job is given up and what is missing is submitted again.
    pub stall: Duration,
}

impl Machines for Cluster {
    fn compute(&self, wanted: &Wanted<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
        for orders in wanted.orders().chunks(ORDERS) {
            self.run(orders, wanted)?;
        }
        Ok(())
    }
}

impl Cluster {
    /// One job. The rows that it returns are not fetched: an executor that has gone took them with it, while the results
    /// are on the board.
    fn run(
        &self,
        orders: &[Order],
        wanted: &Wanted<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let runtime = runtime()?;
        let url = format!("http://{}", self.scheduler);
        let scheduler = || self.scheduler.clone();
        let failed =
            |source| ClusterError::Job { scheduler: scheduler(), source: Box::new(source) };
        let plan = plan(orders).map_err(failed)?;
        let (setting, value) = ONE_CHUNK_A_TASK;
        let config = SessionConfig::new_with_ballista().set_usize(setting, value);
        let (told, outcome) = channel();
        runtime.spawn(async move {
            let (ballista, codec) =
                (config.ballista_config(), BallistaPhysicalExtensionCodec::default());
            // A session of its own for each job: the scheduler keeps nothing between them.
            let session = format!("blindtier-{}", ballista_core::ids::new_instance_id());
            let submitted = execute_physical_plan::<PhysicalPlanNode>(
                url, &ballista, plan, &codec, session, config,
            );
            // Whoever waited may have given up.
            let _ = told.send(submitted.await.map(drop));
        });
        let outcome = self.watch(&outcome, wanted);
        runtime.shutdown_background();
        match outcome? {
            Ended::There | Ended::Answered(Ok(())) => Ok(()),
            Ended::Answered(Err(source)) => Err(failed(source).into()),
            Ended::Stalled => {
                Err(ClusterError::Stalled { scheduler: scheduler(), stall: self.stall }.into())
            }
            Ended::Silent => Err(ClusterError::Ended { scheduler: scheduler() }.into()),
        }
    }

    /// Waits for the job, the board or patience to end.
    fn watch(
        &self,
        outcome: &Receiver<EngineResult<()>>,
        wanted: &Wanted<'_>,
    ) -> Result<Ended, Box<dyn Error + Send + Sync>> {
        let (mut there, mut changed) = (wanted.there()?, Instant::now());
        loop {
            match outcome.recv_timeout(LOOK) {
                Ok(answer) => return Ok(Ended::Answered(answer)),
                Err(RecvTimeoutError::Disconnected) => return Ok(Ended::Silent),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = wanted.there()?;
            if now == wanted.orders().len() {
                return Ok(Ended::There);
            }
            if now != there {
                (there, changed) = (now, Instant::now());
            } else if changed.elapsed() > self.stall {
                return Ok(Ended::Stalled);
            }
        }
    }
}

/// How a job ended.
enum Ended {
    /// All results are on the board.
    There,
    /// The scheduler said so.
    Answered(EngineResult<()>),
    /// Nothing new came.
    Stalled,
    /// The client failed.
    Silent,
}

/// Each order in a partition of its own, and the function over all: one stage.
fn plan(orders: &[Order]) -> EngineResult<Arc<dyn ExecutionPlan>> {
    let row = |order| Ok(vec![function::rows(std::slice::from_ref(order))?]);
    let partitions = orders.iter().map(row).collect::<EngineResult<Vec<_>>>()?;
    let columns = function::columns();
    let source = MemorySourceConfig::try_new_exec(&partitions, Arc::clone(&columns), None)?;
    let column = |(place, field): (usize, &FieldRef)| -> Arc<dyn PhysicalExpr> {
        Arc::new(Column::new(field.name(), place))
    };
    let arguments = columns.fields().iter().enumerate().map(column).collect();
    let options = Arc::new(ConfigOptions::default());
    let call = ScalarFunctionExpr::try_new(function::named(), arguments, &columns, options)?;
    let call = ProjectionExpr::new(Arc::new(call), "hash".to_owned());
    Ok(Arc::new(ProjectionExec::try_new([call], source)?))
}
