"""Judges with lmms-eval's own functions: a case a line of JSON in, its value a line of JSON out.

Runs in lmms-eval's environment and imports nothing of Clearsight. A case names its `metric`; the rest is what that
one takes. lmms-eval strips a reply before any metric sees it (`ConfigurableTask.process_results`); so does this.
"""

import contextlib
import json
import random
import sys

from lmms_eval.api import metrics
from lmms_eval.tasks.ai2d.utils import MultiChoiceRegexFilter
from lmms_eval.tasks.asr_wer_utils import compute_wer
from lmms_eval.tasks.chartqa.utils import chartqa_process_results
from lmms_eval.tasks.mmmu.utils import mmmu_aggregate_results, mmmu_process_results
from lmms_eval.tasks.mmstar.utils import mmstar_process_results
from lmms_eval.tasks.ocrbench.utils import ocrbench_process_results
from lmms_eval.tasks.pope import utils as pope_utils
from lmms_eval.tasks.refcoco import utils_rec
from lmms_eval.tasks.textvqa.utils import textvqa_process_results
from lmms_eval.tasks.vqav2.utils import vqav2_process_results
from pycocoevalcap.cider.cider import Cider

LOOSE = {"ignore_case": True, "ignore_punctuation": True}  # GQA's and AI2D's settings


def textvqa(case):
    doc = {"question_id": 0, "answers": list(case["answers"])}
    return textvqa_process_results(doc, [case["reply"].strip()])["exact_match"]


def vqav2(case):
    people = [{"answer": answer, "answer_id": i} for i, answer in enumerate(case["answers"], 1)]
    return vqav2_process_results({"question_id": 0, "answers": people}, [case["reply"].strip()])[
        "exact_match"
    ]


def anls(case):
    return metrics.anls(references=case["answers"], predictions=[case["reply"].strip()])["anls"]


def chartqa(case):
    doc = {"type": "human_test", "answer": case["answers"][0]}
    return chartqa_process_results(doc, [case["reply"].strip()])["relaxed_overall"]


def gqa(case):
    return _exact_match(case["answers"][0], case["reply"], **LOOSE)


def ai2d(case):
    filtered = MultiChoiceRegexFilter().apply([[case["reply"]]], [None])[0]
    return _exact_match("ABCDEFGH"[case["right"]], filtered, **LOOSE)


def mmstar(case):
    doc = {"answer": "ABCD"[case["right"]], "category": "c", "l2_category": "l", "index": 0}
    return mmstar_process_results(doc, [case["reply"].strip()])["average"]["score"]


def mmmu(case):
    """Nothing where lmms-eval guesses, which shows in the state of what it guesses with."""
    letter = "ABCDEFGH"[case["right"]]
    doc = {"id": "validation_Art_1", "question_type": "multiple-choice", "answer": letter}
    doc["options"] = repr(case["choices"])
    before = random.getstate()
    read = mmmu_process_results(doc, [case["reply"].strip()])["mmmu_acc"]
    if random.getstate() != before:
        return None
    return mmmu_aggregate_results([read])


def ocrbench(case):
    doc = {"answer": case["answers"], "dataset": case["dataset"], "question_type": "Handwriting Recognition"}
    return ocrbench_process_results(doc, [case["reply"].strip()])["ocrbench_accuracy"]["score"]


def pope(case):
    return _pope(case)["score"]


def pope_together(case):
    told = [_pope(one) for one in case["cases"]]
    return {
        "accuracy": pope_utils.pope_aggregate_accuracy(told),
        "precision": pope_utils.pope_aggregate_precision(told),
        "recall": pope_utils.pope_aggregate_recall(told),
        "F1": pope_utils.pope_aggregate_f1_score(told),
    }


def wer(case):
    return compute_wer([case["answers"][0]], [case["reply"].strip()], "en")


def cer(case):
    return compute_wer([case["answers"][0]], [case["reply"].strip()], "zh", char_languages=("zh",))


def refcoco(case):
    doc = {"answer": "", "question_id": 0, "bbox": case["box"]}
    return utils_rec.refcoco_bbox_rec_iou(
        [utils_rec.refcoco_bbox_rec_process_result(doc, [case["reply"].strip()])["refcoco_IoU"]]
    )


def bleu(case):
    return metrics.bleu([(one["answers"], one["reply"].strip()) for one in case["cases"]]) / 100


def cider(case):
    """What coco_cap computes once the words are cut."""
    told = {i: one["answers"] for i, one in enumerate(case["cases"])}
    said = {i: [one["reply"].strip()] for i, one in enumerate(case["cases"])}
    return [float(score) for score in Cider().compute_score(told, said)[1]]


def clustered_stderr(case):
    return metrics.clustered_stderr(case["scores"], case["clusters"])


def paired_ttest(case):
    found = metrics.paired_ttest(case["second"], case["first"])
    return [float(found[name]) for name in ("mean_diff", "se_diff", "ci_lower", "ci_upper")]


def _exact_match(answer, reply, **settings):
    return float(
        metrics.exact_match_fn(references=[answer], predictions=[reply.strip()], **settings)["exact_match"]
    )


def _pope(case):
    doc = {"answer": case["answers"][0], "question_id": 0}
    return pope_utils.pope_process_results(doc, [case["reply"].strip()])["pope_accuracy"]


METRICS = {
    function.__name__.replace("_", " "): function
    for function in (
        *(textvqa, vqav2, anls, chartqa, gqa, ai2d, mmstar, mmmu, ocrbench, pope, pope_together, wer, cer),
        *(refcoco, bleu, cider, clustered_stderr, paired_ttest),
    )
}

if __name__ == "__main__":
    random.seed(0)
    for line in sys.stdin:
        case = json.loads(line)
        with contextlib.redirect_stdout(sys.stderr):  # lmms-eval prints while it computes
            value = METRICS[case["metric"]](case)
        print(json.dumps(value), flush=True)
